import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFile, makePrivateFolder, replaceFile } from './durable-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-durable-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function permissions(path: string): number {
  return statSync(path).mode & 0o777;
}

test('a replaced file holds the new content, for its owner only, and leaves nothing beside it', async () => {
  const file = join(folder, 'identity.json');
  writeFileSync(file, 'old', { mode: 0o644 });
  await replaceFile(file, 'new');
  expect(readFileSync(file, 'utf8')).toBe('new');
  expect(permissions(file)).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['identity.json']);
});

test('a created file never takes the place of another', async () => {
  const file = join(folder, 'kit.txt');
  await createFile(file, 'first');
  await expect(createFile(file, 'second')).rejects.toMatchObject({ code: 'file_exists' });
  expect(readFileSync(file, 'utf8')).toBe('first');
  expect(permissions(file)).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['kit.txt']);
});

test('a folder that does not exist is said to be so', async () => {
  const file = join(folder, 'missing', 'kit.txt');
  await expect(createFile(file, '')).rejects.toMatchObject({ code: 'file_unwritable', parameters: { file } });
  await expect(replaceFile(file, '')).rejects.toMatchObject({ code: 'file_unwritable' });
});

test('a private folder is made with what it lies in, and only its owner enters it', async () => {
  const inner = join(folder, 'a', 'b');
  await makePrivateFolder(inner);
  await makePrivateFolder(inner);
  expect(permissions(inner)).toBe(0o700);
});
