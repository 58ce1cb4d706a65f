import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../../../test/builders/hostile-bytes.ts';
import { DOMAIN_ID, KEY_PERIOD_ID, sampleChunkId } from '../../../../../test/builders/format-samples.ts';
import { LIMITS } from '../../limits.ts';
import {
  BLOB_HEADER_BYTES,
  BLOB_TYPES,
  blobLength,
  readBlobHeader,
  readBlobTable,
  sealedOffset,
  SUITE_1,
  writeBlobHeader,
  type BlobHeader,
  type BlobType,
} from './blob.ts';

const HEADER: BlobHeader = {
  suite: SUITE_1,
  type: 'catalog',
  domainId: DOMAIN_ID,
  keyPeriodId: KEY_PERIOD_ID,
  chunkId: sampleChunkId(0x60),
  tableCount: 2,
  sealedLength: 1000,
};

function encoded(changes: Partial<BlobHeader> = {}): Buffer {
  const bytes = Buffer.alloc(BLOB_HEADER_BYTES);
  writeBlobHeader(bytes, 0, { ...HEADER, ...changes });
  return bytes;
}

/** A header with the byte at `offset` set. */
function withByte(offset: number, value: number): Buffer {
  const bytes = encoded();
  bytes[offset] = value;
  return bytes;
}

describe('the header of a blob', () => {
  it('gives back what was written, at whatever offset', () => {
    const types = Object.keys(BLOB_TYPES) as BlobType[];
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.nat(LIMITS.nodeTableIdsMax),
        fc.nat(LIMITS.blobSealedBytesMax),
        fc.nat(100),
        (type, ids, sealedLength, offset) => {
          const header = { ...HEADER, type, sealedLength, tableCount: type === 'data' ? 0 : ids };
          const bytes = Buffer.alloc(offset + BLOB_HEADER_BYTES, 0xee);
          writeBlobHeader(bytes, offset, header);
          expect(readBlobHeader(bytes, offset)).toEqual(header);
          expect(bytes.subarray(0, offset).every((byte) => byte === 0xee)).toBe(true);
        },
      ),
    );
  });

  it('says how long the blob is', () => {
    expect(blobLength({ tableCount: 0, sealedLength: 0 })).toBe(80 + 12 + 16);
    expect(blobLength({ tableCount: 2, sealedLength: 1000 })).toBe(80 + 64 + 12 + 1000 + 16);
    expect(sealedOffset(2)).toBe(144);
  });

  it('is refused when it is cut, or something else', () => {
    for (let length = 0; length < BLOB_HEADER_BYTES; length++) {
      expect(refusalOf(() => readBlobHeader(encoded().subarray(0, length)))).toBe('damaged');
    }
    expect(refusalOf(() => readBlobHeader(encoded(), 1))).toBe('damaged');
    for (const offset of [0, 1, 2, 3]) {
      expect(refusalOf(() => readBlobHeader(withByte(offset, 0x7a)))).toBe('damaged');
    }
  });

  it('is one of a later version with another suite, type or flag', () => {
    const changes: [offset: number, value: number][] = [
      [4, 0],
      [4, 2],
      [5, 0],
      [5, 5],
      [6, 1],
      [7, 0x80],
    ];
    for (const [offset, value] of changes) {
      expect(refusalOf(() => readBlobHeader(withByte(offset, value)))).toBe('unknown_format');
    }
  });

  it('is refused when a length or a count is above its bound', () => {
    expect(refusalOf(() => readBlobHeader(encoded({ tableCount: LIMITS.nodeTableIdsMax + 1 })))).toBe(
      'damaged',
    );
    expect(refusalOf(() => readBlobHeader(encoded({ tableCount: 0xffff_ffff })))).toBe('damaged');
    expect(refusalOf(() => readBlobHeader(encoded({ sealedLength: LIMITS.blobSealedBytesMax + 1 })))).toBe(
      'damaged',
    );
    expect(refusalOf(() => readBlobHeader(encoded({ sealedLength: 0xffff_ffff })))).toBe('damaged');
  });

  it('of content is refused with a table', () => {
    expect(refusalOf(() => readBlobHeader(encoded({ type: 'data', tableCount: 1 })))).toBe('damaged');
  });
});

describe('the table of a blob', () => {
  const ids = [sampleChunkId(1), sampleChunkId(2)];
  const table = Buffer.from(ids.join(''), 'hex');

  it('gives its ids in order, at whatever offset', () => {
    const bytes = Buffer.concat([Buffer.alloc(7), encoded(), table, Buffer.alloc(9)]);
    expect(readBlobTable(bytes, HEADER, 7)).toEqual(ids);
  });

  it('is refused when it ends too early', () => {
    const bytes = Buffer.concat([encoded(), table]);
    expect(refusalOf(() => readBlobTable(bytes.subarray(0, -1), HEADER))).toBe('damaged');
    expect(refusalOf(() => readBlobTable(bytes, HEADER, 1))).toBe('damaged');
  });
});
