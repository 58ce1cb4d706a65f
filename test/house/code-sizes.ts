import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './source-tree.ts';

/** A file or function that is longer than asked for. `name` is empty for a file and for a function without one. */
export type CodeSize = { file: string; kind: 'file' | 'function'; name: string; line: number; lines: number };

type Diagnostic = {
  code: string;
  message: string;
  filename: string;
  labels: { span: { line: number } }[];
};

/**
 * The files with more than `fileLines` lines and the functions with more than `functionLines`, comments and blank
 * lines included, as the linter's parser counts them: from the first line of a function to its closing bracket.
 */
export function codeLongerThan(fileLines: number, functionLines: number, folders: string[]): CodeSize[] {
  const scratch = mkdtempSync(join(tmpdir(), 'cofre-sizes-'));
  try {
    const config = join(scratch, 'sizes.json');
    const rules = { 'max-lines': ['error', fileLines], 'max-lines-per-function': ['error', functionLines] };
    writeFileSync(config, JSON.stringify({ categories: { correctness: 'off' }, rules }));
    const oxlint = join(ROOT, 'node_modules/.bin/oxlint');
    const run = spawnSync(oxlint, ['-c', config, '-f', 'json', ...folders], {
      cwd: ROOT,
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
    });
    const { diagnostics } = JSON.parse(run.stdout) as { diagnostics: Diagnostic[] };
    return diagnostics.filter(({ code }) => /max-lines/.test(code)).map(sizeFrom);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function sizeFrom({ code, message, filename, labels }: Diagnostic): CodeSize {
  return {
    file: filename,
    kind: code.includes('per-function') ? 'function' : 'file',
    name: /`([^`]+)`/.exec(message)?.[1] ?? '',
    line: labels[0]?.span.line ?? 1,
    lines: Number(/\((\d+)\)/.exec(message)?.[1]),
  };
}
