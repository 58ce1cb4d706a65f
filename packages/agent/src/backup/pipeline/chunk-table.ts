import { CHUNK_ID_BYTES, type ChunkId } from '@cofre/shared/ids';

/** What is known of a chunk during an attempt; several may hold at once. */
export const CHUNK_STATES = {
  /** Belongs to the head's refset: the new one is told as a change of that. */
  held: 1,
  /** On the server as far as we know: it said so in this session, or the session holds the head that needs it. */
  live: 2,
  /** Some worker is sending it in this session. */
  claimed: 4,
  /** The new snapshot refers to it. */
  needed: 8,
  /** The server refused a commit for want of it: whatever else makes us believe that it is live is wrong. */
  missing: 16,
  /** Live, but the server has not looked at it on its disk for longer than was asked for. */
  unverified: 32,
  /** A checkpoint refers to it, and the snapshot that follows need not. */
  passing: 64,
} as const;

/** Whether a chunk in this state can be referred to: it is on the server, or on its way. */
export function isThere(state: number): boolean {
  const { claimed, live, missing } = CHUNK_STATES;
  return (state & claimed) !== 0 || (state & (live | missing)) === live;
}

const CAPACITY_MIN = 4096;

/**
 * A set of chunk ids with some bits each, in flat memory: about 55 bytes an id, so that a vault of a
 * million chunks fits the agent's budget. Ids are keyed hashes, so their own first bytes serve as the hash.
 */
export class ChunkTable {
  private capacity = CAPACITY_MIN;
  private ids = Buffer.alloc(CAPACITY_MIN * CHUNK_ID_BYTES);
  /** 0 marks an empty place, so stored states are shifted by one bit. */
  private states = new Uint8Array(CAPACITY_MIN);
  private used = 0;
  private readonly scratch = Buffer.alloc(CHUNK_ID_BYTES);

  get size(): number {
    return this.used;
  }

  stateOf(id: ChunkId): number {
    this.scratch.write(id, 'hex');
    return this.stateAt(this.scratch, 0);
  }

  /** Adds bits to an id's state; gives the state from before. */
  mark(id: ChunkId, bits: number): number {
    this.scratch.write(id, 'hex');
    return this.markAt(this.scratch, 0, bits);
  }

  /** Like {@link stateOf}, for an id of 32 bytes at `offset`. */
  stateAt(source: Buffer, offset: number): number {
    return (this.states[this.placeOf(source, offset)] as number) >> 1;
  }

  markAt(source: Buffer, offset: number, bits: number): number {
    let place = this.placeOf(source, offset);
    const stored = this.states[place] as number;
    if (stored === 0) {
      if ((this.used + 1) * 5 > this.capacity * 3) {
        this.growTo(this.capacity * 2);
        place = this.placeOf(source, offset);
      }
      source.copy(this.ids, place * CHUNK_ID_BYTES, offset, offset + CHUNK_ID_BYTES);
      this.used += 1;
    }
    this.states[place] = stored | 1 | (bits << 1);
    return stored >> 1;
  }

  /** Makes room for so many ids beforehand: growing takes three times the memory while it lasts. */
  reserve(count: number): void {
    let capacity = this.capacity;
    while (count * 5 > capacity * 3) capacity *= 2;
    if (capacity > this.capacity) this.growTo(capacity);
  }

  /** How many ids have all of these bits. */
  count(bits: number): number {
    const wanted = bits << 1;
    let count = 0;
    for (const stored of this.states) if ((stored & wanted) === wanted) count += 1;
    return count;
  }

  /** All ids whose state, masked, equals `wanted`: 32 bytes each, ascending. */
  collect(mask: number, wanted: number): Buffer {
    return this.collectWhere((state) => (state & mask) === wanted);
  }

  /** Gives every id the state that `change` makes of its own. */
  changeAll(change: (state: number) => number): void {
    for (let place = 0; place < this.capacity; place++) {
      const stored = this.states[place] as number;
      if (stored !== 0) this.states[place] = 1 | (change(stored >> 1) << 1);
    }
  }

  /** All ids with such a state: 32 bytes each, ascending. */
  collectWhere(isWanted: (state: number) => boolean): Buffer {
    const places: number[] = [];
    for (let place = 0; place < this.capacity; place++) {
      const stored = this.states[place] as number;
      if (stored !== 0 && isWanted(stored >> 1)) places.push(place);
    }
    places.sort((a, b) => this.comparePlaces(a, b));
    const ids = Buffer.allocUnsafe(places.length * CHUNK_ID_BYTES);
    for (const [index, place] of places.entries()) {
      const start = place * CHUNK_ID_BYTES;
      this.ids.copy(ids, index * CHUNK_ID_BYTES, start, start + CHUNK_ID_BYTES);
    }
    return ids;
  }

  private comparePlaces(a: number, b: number): number {
    const [startA, startB] = [a * CHUNK_ID_BYTES, b * CHUNK_ID_BYTES];
    const quick = this.ids.readUInt32BE(startA) - this.ids.readUInt32BE(startB);
    if (quick !== 0) return quick;
    return this.ids.compare(this.ids, startB, startB + CHUNK_ID_BYTES, startA, startA + CHUNK_ID_BYTES);
  }

  /** Where an id is, or the empty place where it would go. Linear probing; the table is never full. */
  private placeOf(source: Buffer, offset: number): number {
    const mask = this.capacity - 1;
    let place = source.readUInt32LE(offset) & mask;
    while (this.states[place] !== 0 && !this.isAt(place, source, offset)) place = (place + 1) & mask;
    return place;
  }

  private isAt(place: number, source: Buffer, offset: number): boolean {
    const start = place * CHUNK_ID_BYTES;
    if (this.ids.readUInt32LE(start + 4) !== source.readUInt32LE(offset + 4)) return false;
    return this.ids.compare(source, offset, offset + CHUNK_ID_BYTES, start, start + CHUNK_ID_BYTES) === 0;
  }

  private growTo(newCapacity: number): void {
    const { ids, states, capacity } = this;
    this.capacity = newCapacity;
    this.ids = Buffer.alloc(this.capacity * CHUNK_ID_BYTES);
    this.states = new Uint8Array(this.capacity);
    for (let place = 0; place < capacity; place++) {
      const stored = states[place] as number;
      if (stored === 0) continue;
      const target = this.placeOf(ids, place * CHUNK_ID_BYTES);
      ids.copy(this.ids, target * CHUNK_ID_BYTES, place * CHUNK_ID_BYTES, (place + 1) * CHUNK_ID_BYTES);
      this.states[target] = stored;
    }
  }
}
