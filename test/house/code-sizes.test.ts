import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { codeLongerThan, type CodeSize } from './code-sizes.ts';
import { readProjectFile } from './source-tree.ts';

const AIM = { fileLines: 300, functionLines: 40 };
const LIMIT = { fileLines: 500, functionLines: 70 };

/** A file says why it, or a function in it, is over the limit: `size: the table is one thing`. */
const REASON = /\bsize: \S+/;

const overAim = codeLongerThan(AIM.fileLines, AIM.functionLines, ['packages', 'scripts', 'test']);

function describeSize({ file, kind, name, line, lines }: CodeSize): string {
  return kind === 'file'
    ? `${file} has ${lines} lines`
    : `${file}:${line} ${name || 'a function'} has ${lines} lines`;
}

function isOverLimit({ kind, lines }: CodeSize): boolean {
  return lines > (kind === 'file' ? LIMIT.fileLines : LIMIT.functionLines);
}

/** `describe(…, () => {…})` is a heading, not a function that somebody has to understand. */
function isHeading({ file, line }: CodeSize): boolean {
  const text = readProjectFile(file).split('\n')[line - 1] ?? '';
  return /^\s*describe\b/.test(text);
}

test('no file is over 500 lines and no function over 70 without a reason in the file', () => {
  const unexplained = overAim.filter(
    (size) => isOverLimit(size) && !isHeading(size) && !REASON.test(readProjectFile(size.file)),
  );
  expect(unexplained.map(describeSize)).toEqual([]);
  const rest = overAim.filter((size) => !isOverLimit(size) && !isHeading(size));
  if (rest.length > 0) console.info(`Longer than we aim for:\n  ${rest.map(describeSize).join('\n  ')}`);
});

test('the measure counts every line of a function, and of a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cofre-code-sizes-'));
  try {
    const body = '  // a comment\n\n  probe();\n';
    writeFileSync(join(folder, 'probe.ts'), `export function probe() {\n${body}}\n`);
    const sizes = codeLongerThan(4, 4, [folder]).map(({ kind, name, lines }) => ({ kind, name, lines }));
    expect(sizes).toContainEqual({ kind: 'file', name: '', lines: 5 });
    expect(sizes).toContainEqual({ kind: 'function', name: 'probe', lines: 5 });
    expect(codeLongerThan(6, 5, [folder])).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
