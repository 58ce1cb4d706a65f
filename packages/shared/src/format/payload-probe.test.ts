import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../../../test/builders/seeded-random.ts';
import { looksIncompressible } from './payload-probe.ts';

const MEBIBYTE = 1024 * 1024;
const random = new SeededRandom('probe');
const noise = random.bytes(MEBIBYTE);
const lines = Array.from({ length: 30_000 }, () => `${random.below(1e9)} ${random.text(8).toString()}`);
const text = Buffer.from(lines.join('\n')).subarray(0, MEBIBYTE / 2);

it('finds nothing to save in random bytes and archives', () => {
  expect(looksIncompressible(noise)).toBe(true);
  const archive = gzipSync(Buffer.from(lines.join('\n')));
  expect(archive.length).toBeGreaterThan(128 * 1024);
  expect(looksIncompressible(archive)).toBe(true);
});

it('finds text, zeros, few values, and binary numbers worth compressing', () => {
  expect(looksIncompressible(text)).toBe(false);
  expect(looksIncompressible(Buffer.alloc(MEBIBYTE))).toBe(false);
  expect(looksIncompressible(Buffer.from(noise.subarray(0, MEBIBYTE / 2).toString('hex')))).toBe(false);
  const numbers = Uint32Array.from({ length: MEBIBYTE / 4 }, (_, index) => index * 31);
  expect(looksIncompressible(new Uint8Array(numbers.buffer))).toBe(false);
});

it('sees repetitions in bytes of which none is more frequent than another', () => {
  const page = random.bytes(700);
  const repeated = Buffer.alloc(MEBIBYTE, page);
  expect(looksIncompressible(repeated)).toBe(false);
});

it('sees a part that compresses, wherever it is, once it is a tenth', () => {
  const part = text.subarray(0, Math.ceil(MEBIBYTE / 10));
  for (let start = 0; start + part.length <= MEBIBYTE; start += 4999) {
    const mixed = Buffer.from(noise);
    part.copy(mixed, start);
    expect([start, looksIncompressible(mixed)]).toEqual([start, false]);
  }
});

it('leaves short content to the compression itself', () => {
  expect(looksIncompressible(noise.subarray(0, 128 * 1024 - 1))).toBe(false);
  expect(looksIncompressible(noise.subarray(0, 128 * 1024))).toBe(true);
  expect(looksIncompressible(new Uint8Array(0))).toBe(false);
});

it('says the same of the same content, wherever it lies in memory', () => {
  const elsewhere = new Uint8Array(noise.length + 3);
  elsewhere.set(noise, 3);
  expect(looksIncompressible(elsewhere.subarray(3))).toBe(true);
});
