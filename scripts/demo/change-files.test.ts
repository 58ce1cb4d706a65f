import { cpSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compareTrees } from '../../test/builders/compare-trees.ts';
import { changeFiles } from './change-files.ts';

let folder: string;
let before: string;
let after: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-changes-'));
  before = join(folder, 'before');
  after = join(folder, 'after');
  mkdirSync(after);
});

afterEach(() => rmSync(folder, { recursive: true }));

function keepAside(): void {
  cpSync(after, before, { recursive: true, preserveTimestamps: true });
}

function countDifferences(what: string): number {
  return [...compareTrees(before, after)].filter((difference) => difference.what === what).length;
}

test('it changes, adds and deletes as many files as it says', async () => {
  for (let number = 0; number < 1_000; number++) {
    const inner = join(after, `folder-${number % 10}`);
    mkdirSync(inner, { recursive: true });
    writeFileSync(join(inner, `${number}.txt`), 'content '.repeat(number));
  }
  keepAside();
  const changes = await changeFiles(after);
  expect(changes).toMatchObject({ changed: 3, added: 3, deleted: 3 });
  expect(countDifferences('size')).toBe(3);
  expect(countDifferences('unexpected')).toBe(3);
  expect(countDifferences('missing')).toBe(3);
});

test('of two files it changes one and deletes the other, and adds one', async () => {
  writeFileSync(join(after, 'one'), '');
  writeFileSync(join(after, 'two'), 'x');
  keepAside();
  const { bytes, ...counts } = await changeFiles(after);
  expect(counts).toEqual({ changed: 1, added: 1, deleted: 1 });
  expect(bytes).toBeGreaterThan(0);
  expect(countDifferences('missing')).toBe(1);
});

test('long files and hard links are left alone', async () => {
  writeFileSync(join(after, 'long'), Buffer.alloc(1024 * 1024));
  writeFileSync(join(after, 'one'), 'x');
  linkSync(join(after, 'one'), join(after, 'the same'));
  keepAside();
  expect(await changeFiles(after)).toEqual({ changed: 0, added: 0, deleted: 0, bytes: 0 });
});
