import type { ChunkId } from '@cofre/shared/ids';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FINGERPRINT_BYTES } from '../fingerprint.ts';
import { decodeJobResult, encodeJobResult, type FileResult } from './job-result.ts';

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((each) => Buffer.from(each));

const chunkId = fc.nat({ max: 5 }).map((number) => String(number).repeat(64) as ChunkId);
const length = fc.nat({ max: 2 ** 31 - 1 });
const stored = fc.record({
  kind: fc.constant('stored' as const),
  fingerprint: bytes(FINGERPRINT_BYTES),
  metadata: fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each)),
  attributeProblem: fc.constantFrom('', 'xattrs EIO'),
  slices: fc.array(fc.record({ chunkId, offset: length, length }), { maxLength: 6 }),
  sizeBytes: fc.maxSafeNat(),
  changedWhileRead: fc.boolean(),
  isReplaced: fc.boolean(),
});
const failed = fc.record({
  kind: fc.constant('failed' as const),
  reason: fc.constantFrom('EACCES', 'ENOENT', 'replaced'),
});
const results: fc.Arbitrary<FileResult[]> = fc.array(fc.oneof(stored, failed), { maxLength: 30 });

test('results come back as they were sent', () => {
  fc.assert(
    fc.property(results, (files) => {
      expect(decodeJobResult(encodeJobResult(files))).toEqual(files);
    }),
  );
});

test('what was cut off is refused', () => {
  fc.assert(
    fc.property(results, fc.nat(), (files, cut) => {
      const encoded = encodeJobResult(files);
      const end = cut % encoded.length;
      fc.pre(files.length > 0);
      expect(() => decodeJobResult(encoded.subarray(0, end))).toThrow('A result of a worker is damaged');
    }),
  );
});
