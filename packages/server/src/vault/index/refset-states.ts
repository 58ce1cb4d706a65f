import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import type { ChunkId } from '@cofre/shared/ids';
import { countOfIds, idAt, type PackedIds } from './packed-ids.ts';

/**
 * The state of the set hash over these ids alone. About 10 µs an id: it is asked for on a database thread, in slices.
 */
export function hashIds(input: { ids: PackedIds }): Uint8Array {
  const hash = RefsetHash.empty();
  for (let place = 0; place < countOfIds(input.ids); place++) {
    hash.add(idAt(input.ids, place).toString('hex') as ChunkId);
  }
  return hash.state();
}

/**
 * Adds (or, with `sign` −1, takes away) the set of one state to that of another, in place. States are sums of lanes
 * of 16 bits, so that parts of a set can be hashed apart.
 */
export function mergeStates(into: Buffer, other: Uint8Array, sign: 1 | -1): void {
  const view = Buffer.from(other.buffer, other.byteOffset, other.byteLength);
  for (let offset = 0; offset < into.length; offset += 2) {
    const sum = into.readUInt16LE(offset) + sign * view.readUInt16LE(offset);
    into.writeUInt16LE(sum & 0xffff, offset);
  }
}
