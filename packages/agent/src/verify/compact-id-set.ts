import type { ChunkId } from '@cofre/shared/ids';

const CAPACITY_MIN = 1024;
/** Above it, places are searched for too long. */
const LOAD_MAX = 0.6;

/**
 * A set of chunk ids that takes 8 bytes a place, so that the chunks of terabytes fit in memory. It keeps the
 * first 64 bits of each id: ids are keyed hashes, so among ten million the chance of two alike is 1 in 300,000.
 */
export class CompactIdSet {
  #places = new Uint32Array(CAPACITY_MIN * 2);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds an id; false when it was there. */
  add(id: ChunkId): boolean {
    if (this.#size >= (this.#places.length / 2) * LOAD_MAX) this.#grow();
    const [high, low] = halvesOf(id);
    if (!insert(this.#places, high, low)) return false;
    this.#size += 1;
    return true;
  }

  has(id: ChunkId): boolean {
    const [high, low] = halvesOf(id);
    const place = placeOf(this.#places, high, low);
    return !isFree(this.#places, place);
  }

  #grow(): void {
    const places = new Uint32Array(this.#places.length * 2);
    for (let place = 0; place < this.#places.length; place += 2) {
      if (isFree(this.#places, place)) continue;
      insert(places, this.#places[place] as number, this.#places[place + 1] as number);
    }
    this.#places = places;
  }
}

/** Two zeros mean a free place, so no id may have them. */
function halvesOf(id: ChunkId): [high: number, low: number] {
  const high = Number.parseInt(id.slice(0, 8), 16);
  const low = Number.parseInt(id.slice(8, 16), 16);
  return [high, high === 0 && low === 0 ? 1 : low];
}

function insert(places: Uint32Array, high: number, low: number): boolean {
  const place = placeOf(places, high, low);
  if (!isFree(places, place)) return false;
  places[place] = high;
  places[place + 1] = low;
  return true;
}

/** Where the id is, or the free place where it belongs. */
function placeOf(places: Uint32Array, high: number, low: number): number {
  const mask = places.length / 2 - 1;
  let place = (low & mask) * 2;
  while (!isFree(places, place) && (places[place] !== high || places[place + 1] !== low)) {
    place = ((place / 2 + 1) & mask) * 2;
  }
  return place;
}

function isFree(places: Uint32Array, place: number): boolean {
  return places[place] === 0 && places[place + 1] === 0;
}
