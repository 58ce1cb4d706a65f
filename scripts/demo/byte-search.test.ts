import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needlesOf, searchTrees } from './byte-search.ts';

const SECRET = 'el-plan-secreto-ñandú-7f3a';
const READ_BYTES = 1 << 22;

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'cofre-search-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function isFound(bytes: Buffer): boolean {
  return needlesOf('it', SECRET).some((needle) => bytes.includes(needle.bytes));
}

test.each([
  ['UTF-8', Buffer.from(SECRET)],
  ['UTF-16LE', Buffer.from(SECRET, 'utf16le')],
  ['UTF-16BE', Buffer.from(SECRET, 'utf16le').swap16()],
  ['hex', Buffer.from(Buffer.from(SECRET).toString('hex'))],
  ['hex, upper case', Buffer.from(Buffer.from(SECRET).toString('hex').toUpperCase())],
])('a planted text is found as %s, with its place', async (form, planted) => {
  mkdirSync(join(folder, 'inner'));
  const file = join(folder, 'inner', 'file');
  writeFileSync(file, Buffer.concat([Buffer.alloc(1_000, 7), planted, Buffer.alloc(1_000, 8)]));
  writeFileSync(join(folder, 'innocent'), 'nothing');
  const { findings, files, bytes } = await searchTrees([folder], needlesOf('it', SECRET));
  expect(findings).toContainEqual({ file, label: `it as ${form}`, offset: 1_000 });
  expect({ files, bytes }).toEqual({ files: 2, bytes: 2_000 + planted.length + 7 });
});

test('a planted text is found in base64, whatever stands before and behind it, in both alphabets', () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  const encoding = fc.constantFrom<BufferEncoding[]>('base64', 'base64url');
  const written = fc.constantFrom<BufferEncoding[]>('utf8', 'utf16le');
  fc.assert(
    fc.property(bytes, bytes, encoding, written, (before, behind, alphabet, form) => {
      const text = Buffer.concat([before, Buffer.from(SECRET, form), behind]).toString(alphabet);
      return isFound(Buffer.from(text));
    }),
  );
});

test('what is not there is not found', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 10_000 }), (bytes) => !isFound(Buffer.from(bytes))));
  expect(isFound(Buffer.from(SECRET.slice(1)))).toBe(false);
});

test('a planted text is found where two reads meet', async () => {
  const file = join(folder, 'large');
  const at = READ_BYTES - 5;
  writeFileSync(file, Buffer.alloc(at));
  appendFileSync(file, SECRET);
  appendFileSync(file, Buffer.alloc(READ_BYTES));
  const { findings } = await searchTrees([folder], needlesOf('it', SECRET));
  expect(findings).toEqual([{ file, label: 'it as UTF-8', offset: at }]);
});

test('a planted text is found in the name of a file and of a folder', async () => {
  mkdirSync(join(folder, `a ${SECRET} b`));
  const file = join(folder, `a ${SECRET} b`, `${Buffer.from(SECRET).toString('hex')}.pack`);
  writeFileSync(file, '');
  const { findings } = await searchTrees([folder], needlesOf('it', SECRET));
  expect(findings).toEqual([
    { file: join(folder, `a ${SECRET} b`), label: 'it as UTF-8', offset: null },
    { file, label: 'it as hex', offset: null },
  ]);
});

test('a plain file may be searched; what is not there is an error, not clean', async () => {
  const file = join(folder, 'log');
  writeFileSync(file, `a line with ${SECRET}\n`);
  expect((await searchTrees([file], needlesOf('it', SECRET))).findings).toHaveLength(1);
  await expect(searchTrees([join(folder, 'gone')], [])).rejects.toThrow('ENOENT');
});
