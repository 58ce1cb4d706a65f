import { CHUNK_ID_BYTES, type ChunkId } from '@cofre/shared/ids';

/** Chunk ids of 32 bytes one behind the other, as they travel and as they cross to a database thread. */
export type PackedIds = Uint8Array;

/** How many ids are packed. */
export function countOfIds(ids: PackedIds): number {
  return ids.length / CHUNK_ID_BYTES;
}

/** A view of the id at `index`. */
export function idAt(ids: PackedIds, index: number): Buffer {
  return Buffer.from(ids.buffer, ids.byteOffset + index * CHUNK_ID_BYTES, CHUNK_ID_BYTES);
}

/** Packed ids in slices of `countMax`; one empty slice when there are none. */
export function sliceIds(ids: Buffer, countMax: number): Buffer[] {
  const slices = [ids.subarray(0, countMax * CHUNK_ID_BYTES)];
  for (let start = countMax * CHUNK_ID_BYTES; start < ids.length; start += countMax * CHUNK_ID_BYTES) {
    slices.push(ids.subarray(start, start + countMax * CHUNK_ID_BYTES));
  }
  return slices;
}

/** Ids one behind the other. */
export function packIds(ids: readonly ChunkId[]): Buffer {
  const packed = Buffer.allocUnsafe(ids.length * CHUNK_ID_BYTES);
  ids.forEach((id, index) => packed.write(id, index * CHUNK_ID_BYTES, 'hex'));
  return packed;
}

/** Ids in hexadecimal, in their order. */
export function unpackIds(ids: PackedIds): ChunkId[] {
  const unpacked: ChunkId[] = [];
  for (let index = 0; index < countOfIds(ids); index++)
    unpacked.push(idAt(ids, index).toString('hex') as ChunkId);
  return unpacked;
}
