import { describe, expect, it } from 'vitest';
import { flippedBits, refusalOf } from '../../../../../test/builders/hostile-bytes.ts';
import { sampleChunkId } from '../../../../../test/builders/format-samples.ts';
import { sha256, sha256Of } from '../../hash.ts';
import { LIMITS } from '../../limits.ts';
import {
  decodePackTail,
  encodePackTail,
  PACK_END_BYTES,
  PACK_HEADER,
  packTailLength,
  packTailLengthFromEnd,
  type PackEntry,
} from './pack.ts';

const ENTRIES: PackEntry[] = [
  { chunkId: sampleChunkId(1), type: 'catalog', length: 1000, sha256: Buffer.alloc(32, 1) },
  { chunkId: sampleChunkId(2), type: 'list', length: 0xffff_ffff, sha256: Buffer.alloc(32, 2) },
];

/** A tail with the byte at `offset` set, and the hash made right again. */
function forged(offset: number, value: number): Buffer {
  const { tail } = encodePackTail({ kind: 'catalog', entries: ENTRIES });
  tail[offset] = value;
  const hashStart = tail.length - PACK_END_BYTES - 32;
  sha256Of(PACK_HEADER, tail.subarray(0, hashStart)).copy(tail, hashStart);
  return tail;
}

describe('the tail of a pack', () => {
  it.each(['content', 'catalog'] as const)('of kind %s gives back what was written', (kind) => {
    for (const entries of [[], ENTRIES.slice(0, 1), ENTRIES]) {
      const { tail, packHash } = encodePackTail({ kind, entries });
      expect(decodePackTail(tail)).toEqual({ kind, entries, packHash });
      expect(tail).toHaveLength(packTailLength(entries.length));
      expect(packTailLengthFromEnd(tail.subarray(-PACK_END_BYTES))).toBe(tail.length);
    }
  });

  it('has the hash of header and trailer, which covers the hashes of the blobs', () => {
    const { tail, packHash } = encodePackTail({ kind: 'content', entries: ENTRIES });
    const trailer = tail.subarray(0, tail.length - PACK_END_BYTES - 32);
    expect(packHash).toEqual(sha256(Buffer.concat([Buffer.from('CofrePk1'), Buffer.alloc(8), trailer])));
    expect(tail.subarray(trailer.length, trailer.length + 32)).toEqual(packHash);
  });

  it('is refused with any bit flipped', () => {
    const { tail } = encodePackTail({ kind: 'catalog', entries: ENTRIES });
    const kept = [...flippedBits(tail)].filter(
      ({ bytes }) => refusalOf(() => decodePackTail(bytes)) === null,
    );
    expect(kept).toEqual([]);
  });

  it('is refused when it is cut anywhere, or goes on', () => {
    const { tail } = encodePackTail({ kind: 'catalog', entries: ENTRIES });
    for (let length = 0; length < tail.length; length++) {
      expect(refusalOf(() => decodePackTail(tail.subarray(0, length)))).toBe('damaged');
    }
    expect(refusalOf(() => decodePackTail(Buffer.concat([tail, Buffer.alloc(1)])))).toBe('damaged');
  });

  it('is of a later version with another version, kind or type of blob', () => {
    for (const [offset, value] of [
      [4, 2],
      [5, 3],
      [6, 1],
      [12 + 32, 9],
    ] as const) {
      expect(refusalOf(() => decodePackTail(forged(offset, value)))).toBe('unknown_format');
    }
  });

  it('is damaged, and not of a later version, when a type was changed without the hash', () => {
    const { tail } = encodePackTail({ kind: 'catalog', entries: ENTRIES });
    tail[12 + 32] = 9;
    expect(refusalOf(() => decodePackTail(tail))).toBe('damaged');
  });

  it('is refused when it counts other blobs than it lists, before anything is allocated', () => {
    for (const bytes of [[1], [3], [0xff, 0xff, 0xff, 0xff], [0, 0, 1]]) {
      const { tail } = encodePackTail({ kind: 'catalog', entries: ENTRIES });
      Buffer.from(bytes).copy(tail, 8);
      expect(refusalOf(() => decodePackTail(tail))).toBe('damaged');
    }
  });
});

describe('the end of a pack', () => {
  const end = (length: number, magic: string): Buffer => {
    const bytes = Buffer.alloc(PACK_END_BYTES);
    bytes.writeUInt32LE(length, 0);
    bytes.write(magic, 4, 'latin1');
    return bytes;
  };

  it('is refused without its mark, or with a length that no trailer has', () => {
    expect(packTailLengthFromEnd(end(44, 'CfE1'))).toBe(52);
    expect(refusalOf(() => packTailLengthFromEnd(end(44, 'CfE2')))).toBe('damaged');
    expect(refusalOf(() => packTailLengthFromEnd(end(0xffff_ffff, 'CfE1')))).toBe('damaged');
    const longest = packTailLength(LIMITS.packBlobsMax) - PACK_END_BYTES;
    expect(packTailLengthFromEnd(end(longest, 'CfE1'))).toBe(longest + PACK_END_BYTES);
    expect(refusalOf(() => packTailLengthFromEnd(end(longest + 1, 'CfE1')))).toBe('damaged');
  });

  it('is refused when it is cut', () => {
    expect(refusalOf(() => packTailLengthFromEnd(end(44, 'CfE1').subarray(1)))).toBe('damaged');
  });
});
