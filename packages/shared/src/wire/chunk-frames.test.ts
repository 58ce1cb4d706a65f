import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleChunkId } from '../../../../test/builders/format-samples.ts';
import { refusalOf } from '../../../../test/builders/hostile-bytes.ts';
import { blobLength } from '../format/envelope/blob.ts';
import { LIMITS } from '../limits.ts';
import { decodeFrameHeader, encodeEndFrame, encodeFrameHeader, FRAME_HEADER_BYTES } from './chunk-frames.ts';

const ID = sampleChunkId(0x1234);
const largest = blobLength({
  tableCount: LIMITS.nodeTableIdsMax,
  sealedLength: LIMITS.blobSealedBytesMax,
});

function withByte(frame: Buffer, offset: number, value: number): Buffer {
  frame[offset] = value;
  return frame;
}

describe('the header of a frame', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: largest }), (length) => {
        const header = { status: 'found', length, chunkId: ID } as const;
        expect(decodeFrameHeader(encodeFrameHeader(header))).toEqual(header);
      }),
    );
    for (const status of ['missing', 'damaged'] as const) {
      const header = { status, length: 0, chunkId: ID };
      expect(decodeFrameHeader(encodeFrameHeader(header))).toEqual(header);
    }
    expect(encodeFrameHeader({ status: 'damaged', length: 0, chunkId: ID }).toString('hex')).toBe(
      `0200000000000000${ID}`,
    );
  });

  it('ends an answer with the count of its frames', () => {
    expect(encodeEndFrame(3).toString('hex')).toBe(`ff00000003000000${'00'.repeat(32)}`);
    expect(decodeFrameHeader(encodeEndFrame(3))).toMatchObject({ status: 'end', length: 3 });
  });

  const found = () => encodeFrameHeader({ status: 'found', length: 1000, chunkId: ID });
  it.each<[string, Buffer]>([
    ['of a status that is not known', withByte(found(), 0, 3)],
    ['with something in its reserved bytes', withByte(found(), 3, 1)],
    ['that is cut', found().subarray(0, FRAME_HEADER_BYTES - 1)],
    ['that is empty', Buffer.alloc(0)],
    ['of a blob longer than any', encodeFrameHeader({ status: 'found', length: largest + 1, chunkId: ID })],
    ['of a missing blob with a length', encodeFrameHeader({ status: 'missing', length: 1, chunkId: ID })],
    ['of a damaged blob with a length', encodeFrameHeader({ status: 'damaged', length: 1, chunkId: ID })],
    ['of an end with an id', encodeFrameHeader({ status: 'end', length: 1, chunkId: ID })],
    ['of an end that counts more than was asked for', encodeEndFrame(LIMITS.readIdsMax + 1)],
  ])('%s is refused', (_, frame) => {
    expect(refusalOf(() => decodeFrameHeader(frame))).toBe('protocol');
  });
});
