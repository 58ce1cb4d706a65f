import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findSource } from './source-folder.ts';

let folder: string;

beforeEach(() => (folder = realpathSync(mkdtempSync(join(tmpdir(), 'cofre-source-')))));
afterEach(() => rmSync(folder, { recursive: true }));

test('a named folder is measured; a link to it means the folder', async () => {
  mkdirSync(join(folder, 'real', 'inner'), { recursive: true });
  writeFileSync(join(folder, 'real', 'inner', 'file'), '12345');
  symlinkSync('nowhere', join(folder, 'real', 'link'));
  symlinkSync('real', join(folder, 'link'));
  const { path, size } = await findSource(join(folder, 'link'));
  expect(path).toBe(join(folder, 'real'));
  expect(size).toMatchObject({ files: 1, folders: 2, others: 1, bytes: 5, unreadable: 0, isWhole: true });
});

test('what is no folder, or not there, is refused by name', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(findSource(join(folder, 'file'))).rejects.toThrow('file is not a folder');
  await expect(findSource(join(folder, 'gone'))).rejects.toThrow(/gone cannot be used \(ENOENT\)/);
});

test('a folder that holds the temporary folder is refused: the copy would go into itself', async () => {
  await expect(findSource('/')).rejects.toThrow('Choose another folder, or set TMPDIR');
  await expect(findSource(tmpdir())).rejects.toThrow('set TMPDIR');
});

test('without a name it takes a folder of this machine that it can read', async () => {
  const { size } = await findSource(undefined);
  expect(size.files).toBeGreaterThan(0);
  expect(size).toMatchObject({ isWhole: true, unreadable: 0 });
});
