import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DurableFolders, publishFiles, removeFile, writeFileSynced } from './durable-files.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-files-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('folders are made with their parents, by many at once, and closed to others', async () => {
  const folders = new DurableFolders();
  const path = join(folder, 'a/b/c');
  await Promise.all([folders.make(path), folders.make(path), folders.make(join(folder, 'a/b/d'))]);
  expect(readdirSync(join(folder, 'a/b')).sort()).toEqual(['c', 'd']);
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

test('making a folder where a file is fails, and may be tried again', async () => {
  const folders = new DurableFolders();
  writeFileSync(join(folder, 'taken'), '');
  const path = join(folder, 'taken/sub');
  await expect(folders.make(path)).rejects.toMatchObject({ code: 'ENOTDIR' });
  await expect(folders.make(join(folder, 'taken'))).rejects.toMatchObject({ code: 'EEXIST' });
  rmSync(join(folder, 'taken'));
  await folders.make(path);
  expect(statSync(path).isDirectory()).toBe(true);
});

test('a file gets its name only where there is none yet', async () => {
  const temporary = join(folder, 'temporary');
  const final = join(folder, 'final');
  await writeFileSynced(temporary, Buffer.from('new'));
  writeFileSync(final, 'old');
  await expect(publishFiles([{ temporary, final }], folder)).rejects.toMatchObject({
    name: 'NameTaken',
    linkedCount: 0,
  });
  expect(readFileSync(final, 'utf8')).toBe('old');
  expect(await removeFile(final)).toBe(true);
  expect(await removeFile(final)).toBe(false);
  await publishFiles([{ temporary, final }], folder);
  expect(readFileSync(final, 'utf8')).toBe('new');
});

test('a file that is there is not written over', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, 'old');
  await expect(writeFileSynced(path, Buffer.from('new'))).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(path, 'utf8')).toBe('old');
});
