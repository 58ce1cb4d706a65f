import { createCipheriv } from 'node:crypto';
import { closeSync, openSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { buildSmallFiles } from '../../builders/small-files.ts';
import { expectLargeSourceKept } from '../scenes/large-source.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const HOUR_MS = 3_600_000;

/** Small enough that names count more than bytes. */
const SIZES = { bytesMin: 16, bytesMax: 400 } as const;

test('a folder with 200,000 files', { timeout: HOUR_MS }, async () => {
  const files = 200_000;
  const make = (root: string): void => {
    rmdirSync(root);
    buildSmallFiles(root, { seed: 61, files, filesPerFolder: files, ...SIZES });
  };
  await expectLargeSourceKept({ files, make });
});

test('a file of more than 4 GiB, none of it holes', { timeout: HOUR_MS }, async () => {
  await expectLargeSourceKept({
    files: 1,
    make: (root) => writeNoise(join(root, 'large'), 4 * GIB + 12_345),
  });
});

test('a million files', { timeout: HOUR_MS }, async () => {
  const files = 1_000_000;
  const make = (root: string): void => {
    rmdirSync(root);
    buildSmallFiles(root, { seed: 62, files, ...SIZES });
  };
  await expectLargeSourceKept({ files, make });
});

/** Bytes that neither compress nor repeat, as fast as a disk takes them: the key stream of a cipher. */
function writeNoise(file: string, sizeBytes: number): void {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 63), Buffer.alloc(16));
  const zeros = Buffer.alloc(4 * MIB);
  const descriptor = openSync(file, 'wx');
  for (let written = 0; written < sizeBytes; written += zeros.length) {
    writeFileSync(descriptor, cipher.update(zeros.subarray(0, sizeBytes - written)));
  }
  closeSync(descriptor);
}
