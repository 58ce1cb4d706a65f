import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newMarker, plantMarker } from './marker.ts';
import { proveSecrecy, proveSightOf } from './prove-secrecy.ts';

const ENOUGH_BYTES = 2 * 1024 * 1024;
const marker = newMarker();

let copy: string;
let server: string;
let planted: string;

beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cofre-secrecy-'));
  copy = join(folder, 'copy');
  server = join(folder, 'server');
  mkdirSync(copy);
  mkdirSync(server);
  await plantMarker(copy, marker);
  planted = join(copy, String(readdirSync(copy)[0]));
  writeFileSync(join(server, 'sealed'), Buffer.alloc(ENOUGH_BYTES, 'xyz'));
});

afterEach(() => rmSync(join(copy, '..'), { recursive: true }));

test('what holds nothing of the secret passes, and says how much was looked at', async () => {
  expect(await proveSecrecy(server, marker)).toEqual({ files: 1, bytes: ENOUGH_BYTES, findings: [] });
});

test('the planted text, name and random bytes are each found, and said where', async () => {
  const cases: [file: string, content: string | Buffer, said: string][] = [
    ['text', `x${marker.content}x`, 'text: the planted text as UTF-8 at byte 1'],
    ['names', `x${marker.name}x`, 'names: the planted file name as UTF-8 at byte 1'],
    [marker.name, '', 'the planted file name as UTF-8 in its name'],
  ];
  for (const [file, content, said] of cases) {
    writeFileSync(join(server, file), content);
    await expect(proveSecrecy(server, marker)).rejects.toThrow(said);
    rmSync(join(server, file));
  }
  copyFileSync(join(planted, `${marker.name}.bin`), join(server, 'copied'));
  await expect(proveSecrecy(server, marker)).rejects.toThrow('copied: planted random bytes at byte');
});

test('a server that compresses without encrypting is found out', async () => {
  writeFileSync(join(server, 'compressed'), zstdCompressSync(marker.noise));
  await expect(proveSecrecy(server, marker)).rejects.toThrow('compressed: planted random bytes');
});

test('a place that is too small to hold the backup proves nothing', async () => {
  writeFileSync(join(server, 'sealed'), 'small');
  await expect(proveSecrecy(server, marker)).rejects.toThrow('too small');
});

test('the search has to see the secret in the folder itself', async () => {
  await proveSightOf(copy, marker);
  await expect(proveSightOf(copy, { ...marker, content: 'something else' })).rejects.toThrow('does not see');
  rmSync(join(planted, `${marker.name}.bin`));
  await expect(proveSightOf(copy, marker)).rejects.toThrow('does not see');
});
