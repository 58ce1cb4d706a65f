import { createHash } from 'node:crypto';
import { sha256 } from '../../hash.ts';
import type { ChunkId } from '../../ids.ts';

const LANES = 1024;
const STATE_BYTES = LANES * 2;

/**
 * An incremental hash of a set of chunk ids: the cost of an update follows the change, not the set.
 *
 * LtHash16 (Bellare and Micciancio 1997; Lewi and others, "Securing Update Propagation with Homomorphic
 * Hashing", 2019): each id is expanded to 1,024 lanes of 16 bits, here by SHAKE256, and lanes are added
 * modulo 2^16. Adding and removing commute, so agent and server agree whatever the order. The caller has to
 * keep it a set: adding an id twice counts twice.
 */
export class RefsetHash {
  private readonly lanes: Uint16Array;
  private members: number;

  private constructor(lanes: Uint16Array, members: number) {
    this.lanes = lanes;
    this.members = members;
  }

  static empty(): RefsetHash {
    return new RefsetHash(new Uint16Array(LANES), 0);
  }

  /** From what {@link state} gave: 2,048 bytes. */
  static fromState(state: Uint8Array, count: number): RefsetHash {
    if (state.length !== STATE_BYTES) throw new RangeError(`a refset state of ${state.length} bytes`);
    const lanes = new Uint16Array(LANES);
    const view = new DataView(state.buffer, state.byteOffset, STATE_BYTES);
    for (let lane = 0; lane < LANES; lane++) lanes[lane] = view.getUint16(lane * 2, true);
    return new RefsetHash(lanes, count);
  }

  /** Ids in the set. */
  get count(): number {
    return this.members;
  }

  add(chunkId: ChunkId): void {
    const expansion = expand(chunkId);
    for (let lane = 0; lane < LANES; lane++) {
      this.lanes[lane] = (this.lanes[lane] as number) + laneOf(expansion, lane);
    }
    this.members += 1;
  }

  remove(chunkId: ChunkId): void {
    const expansion = expand(chunkId);
    for (let lane = 0; lane < LANES; lane++) {
      this.lanes[lane] = (this.lanes[lane] as number) - laneOf(expansion, lane);
    }
    this.members -= 1;
  }

  /** 2,048 bytes, lanes in little-endian: all that is needed to go on later, together with the count. */
  state(): Buffer {
    const state = Buffer.alloc(STATE_BYTES);
    for (let lane = 0; lane < LANES; lane++) state.writeUInt16LE(this.lanes[lane] as number, lane * 2);
    return state;
  }

  /** 32 bytes: SHA-256 of the state. A manifest commits to it together with the count. */
  digest(): Buffer {
    return sha256(this.state());
  }
}

function expand(chunkId: ChunkId): Buffer {
  return createHash('shake256', { outputLength: STATE_BYTES }).update(chunkId, 'hex').digest();
}

function laneOf(expansion: Buffer, lane: number): number {
  return (expansion[lane * 2] as number) | ((expansion[lane * 2 + 1] as number) << 8);
}
