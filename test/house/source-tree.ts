import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const ROOT = dirname(dirname(import.meta.dirname));

const CODE = /\.(ts|mts|js|mjs)$/;
const BINARY = /\.(bin|age|wasm|png|ico|woff2)$/;

/** The files of the project, as paths from its root: what git keeps, and what it would keep if it were added. */
export function projectFiles(): string[] {
  const listing = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const files = listing.split('\0').filter((file) => file !== '' && existsSync(join(ROOT, file)));
  if (files.length === 0)
    throw new Error('git lists no file of the project: these tests would prove nothing');
  return files.sort();
}

export function codeFiles(): string[] {
  return projectFiles().filter((file) => CODE.test(file));
}

export function textFiles(): string[] {
  return projectFiles().filter((file) => !BINARY.test(file) && !file.startsWith('test/vectors/'));
}

/** Product code: what ships, without its tests. */
export function productFiles(): string[] {
  return codeFiles().filter((file) => /^packages\/[^/]+\/src\//.test(file) && !file.endsWith('.test.ts'));
}

export function readProjectFile(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Every line that a pattern finds, as `file:line: text`, so that a failing test shows where to look. */
export function findLines(files: string[], pattern: RegExp): string[] {
  return files.flatMap((file) =>
    readProjectFile(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
}
