import type { ChunkId } from '../ids.ts';
import { CHUNK_ID_BYTES } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { CofreError } from '../errors.ts';
import { blobLength } from '../format/envelope/blob.ts';

/**
 * `POST /v1/domains/:id/chunks/read`: body = up to `readIdsMax` chunk ids of 32 bytes; the answer is a stream of frames
 * in the order in which they were asked for, ended by one that says so, so that a cut is noticed:
 *
 *     status u8 (0 found, 1 missing, 2 damaged, 255 end) ‖ 0 u24 ‖ length u32 ‖ chunk id 32 ‖ blob
 *
 * The length is that of the blob (0 where there is none); in the last frame it is the count of the frames
 * before it, and the id is zeros.
 */
export interface ChunkFrameHeader {
  readonly status: ChunkFrameStatus;
  readonly length: number;
  readonly chunkId: ChunkId;
}

export const FRAME_STATUS = { found: 0, missing: 1, damaged: 2, end: 255 } as const;
export type ChunkFrameStatus = keyof typeof FRAME_STATUS;
export const FRAME_HEADER_BYTES = 8 + CHUNK_ID_BYTES;
const NO_CHUNK = '0'.repeat(CHUNK_ID_BYTES * 2) as ChunkId;
const BLOB_BYTES_MAX = blobLength({
  tableCount: LIMITS.nodeTableIdsMax,
  sealedLength: LIMITS.blobSealedBytesMax,
});

/** The 40 bytes in front of a blob, or in place of one that is missing or damaged. */
export function encodeFrameHeader(header: ChunkFrameHeader): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES);
  frame[0] = FRAME_STATUS[header.status];
  frame.writeUInt32LE(header.length, 4);
  frame.write(header.chunkId, 8, 'hex');
  return frame;
}

/** The frame that ends an answer of `count` frames. */
export function encodeEndFrame(count: number): Buffer {
  return encodeFrameHeader({ status: 'end', length: count, chunkId: NO_CHUNK });
}

/** @throws CofreError `protocol` */
export function decodeFrameHeader(frame: Buffer): ChunkFrameHeader {
  if (frame.length < FRAME_HEADER_BYTES) refuse(`a frame's header of ${frame.length} bytes`);
  const status = (Object.keys(FRAME_STATUS) as ChunkFrameStatus[]).find(
    (name) => FRAME_STATUS[name] === frame[0],
  );
  if (status === undefined) return refuse(`a frame of status ${frame[0]}`);
  if (frame.readUIntLE(1, 3) !== 0) refuse('a frame says what this version does not know');
  const length = frame.readUInt32LE(4);
  const chunkId = frame.toString('hex', 8, FRAME_HEADER_BYTES) as ChunkId;
  if (status === 'end' && (chunkId !== NO_CHUNK || length > LIMITS.readIdsMax)) refuse('a wrong end');
  if (status === 'found' && length > BLOB_BYTES_MAX) refuse(`a frame of ${length} bytes`);
  if ((status === 'missing' || status === 'damaged') && length !== 0)
    refuse('a frame of nothing has a length');
  return { status, length, chunkId };
}

function refuse(problem: string): never {
  throw new CofreError('protocol', { problem });
}
