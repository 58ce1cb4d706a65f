import type { ByteString } from '@cofre/shared/bytes';

/** A place is the number of a block and where in it a name begins, in one number of 32 bits. */
const OFFSET_BITS = 16;
const OFFSET_MASK = 2 ** OFFSET_BITS - 1;
const BLOCK_BYTES_MAX = 2 ** OFFSET_BITS;
const PLACES_FIRST = 32;
/** So few names are sorted one by one. */
const FEW = 10;

/**
 * Names of one folder in byte order, once {@link sort} was called. They lie side by side as bytes, each with a NUL
 * behind it: as strings in a list, those of a folder with some hundred thousand entries take three times the memory,
 * in the very heap that has the least room.
 */
export class NameList {
  readonly #blocks: Buffer[] = [];
  #places = new Uint32Array(PLACES_FIRST);
  #length = 0;

  static of(names: readonly ByteString[]): NameList {
    const list = new NameList();
    list.addAll(names);
    return list;
  }

  get length(): number {
    return this.#length;
  }

  /** The name at an index: a string that is made for whoever asks. */
  at(index: number): ByteString {
    const place = this.#places[index] as number;
    const block = this.#blocks[place >>> OFFSET_BITS] as Buffer;
    const start = place & OFFSET_MASK;
    let end = start;
    while (block[end] !== 0) end++;
    return block.toString('latin1', start, end) as ByteString;
  }

  /** Whether a name is there, of a list that is sorted. */
  has(name: ByteString): boolean {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle) < name) low = middle + 1;
      else high = middle;
    }
    return low < this.#length && this.at(low) === name;
  }

  /**
   * Adds names, up to the next {@link sort} behind the others: those of `bytes` that begin at `starts`, within its first
   * 64 KiB, each up to its NUL. The bytes are copied.
   */
  add(bytes: Uint8Array, starts: readonly number[]): void {
    if (starts.length === 0) return;
    const last = this.#blocks.at(-1);
    // Some file systems give few names at a time: their blocks are joined, or there would be too many to number.
    const isJoined = last !== undefined && last.length + bytes.length <= BLOCK_BYTES_MAX;
    if (isJoined) this.#blocks[this.#blocks.length - 1] = Buffer.concat([last, bytes]);
    else this.#blocks.push(Buffer.from(bytes));
    const base = (this.#blocks.length - 1) * BLOCK_BYTES_MAX + (isJoined ? last.length : 0);
    for (const start of starts) {
      if (this.#length === this.#places.length) this.#growPlaces();
      this.#places[this.#length++] = base + start;
    }
  }

  /** Adds names, none of which may be there, and sorts all. */
  addAll(names: readonly ByteString[]): void {
    let [text, starts]: [string, number[]] = ['', []];
    for (const name of names) {
      starts.push(text.length);
      text += `${name}\0`;
      if (text.length < BLOCK_BYTES_MAX / 2) continue;
      this.add(Buffer.from(text, 'latin1'), starts);
      [text, starts] = ['', []];
    }
    this.add(Buffer.from(text, 'latin1'), starts);
    this.sort();
  }

  /** Puts all names into byte order, in place: nothing is copied that could double what they take. */
  sort(): void {
    this.#sortRange(0, this.#length, 0);
  }

  #growPlaces(): void {
    const larger = new Uint32Array(this.#length * 2);
    larger.set(this.#places);
    this.#places = larger;
  }

  /**
   * Quicksort by one byte at a time: all names from `low` up to `high` are the same in front of `depth`. What has the
   * same byte there as well is sorted by the next one.
   */
  #sortRange(first: number, end: number, sharedBytes: number): void {
    const places = this.#places;
    let [low, high, depth] = [first, end, sharedBytes];
    while (high - low > FEW) {
      const pivot = this.#byteAt((low + high) >> 1, depth);
      let [less, greater] = [low, high];
      for (let index = low; index < greater;) {
        const byte = this.#byteAt(index, depth);
        if (byte < pivot) swap(places, less++, index++);
        else if (byte > pivot) swap(places, index, --greater);
        else index++;
      }
      this.#sortRange(low, less, depth);
      this.#sortRange(greater, high, depth);
      // A file system that is damaged may have a name twice.
      if (pivot === 0) return;
      [low, high, depth] = [less, greater, depth + 1];
    }
    this.#sortFew(low, high, depth);
  }

  #sortFew(low: number, high: number, depth: number): void {
    for (let end = low + 1; end < high; end++) {
      for (let index = end; index > low && this.#isBefore(index, index - 1, depth); index--) {
        swap(this.#places, index, index - 1);
      }
    }
  }

  #isBefore(one: number, other: number, sharedBytes: number): boolean {
    for (let depth = sharedBytes; ; depth++) {
      const [byte, otherByte] = [this.#byteAt(one, depth), this.#byteAt(other, depth)];
      if (byte !== otherByte) return byte < otherByte;
      if (byte === 0) return false;
    }
  }

  /** Not to be asked for what lies behind the NUL of a name. */
  #byteAt(index: number, depth: number): number {
    const place = this.#places[index] as number;
    return this.#blocks[place >>> OFFSET_BITS]![(place & OFFSET_MASK) + depth] as number;
  }
}

function swap(places: Uint32Array, one: number, other: number): void {
  const place = places[one] as number;
  places[one] = places[other] as number;
  places[other] = place;
}
