import { createCipheriv, createHash } from 'node:crypto';

/** The same numbers and bytes for the same seed, on every machine. For test data only. */
export class SeededRandom {
  readonly #seed: string;
  #state: [number, number, number, number];
  #streams = 0;

  constructor(seed: number | string) {
    this.#seed = String(seed);
    const digest = createHash('sha256').update(this.#seed).digest();
    this.#state = [0, 4, 8, 12].map((at) => digest.readUInt32LE(at)) as [number, number, number, number];
  }

  /** An independent generator for one part, so that a change of one part leaves the others as they were. */
  part(name: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${name}`);
  }

  /** 32 random bits (sfc32). */
  bits(): number {
    const state = this.#state;
    const sum = (((state[0] + state[1]) >>> 0) + state[3]) >>> 0;
    state[3] = (state[3] + 1) >>> 0;
    state[0] = (state[1] ^ (state[1] >>> 9)) >>> 0;
    state[1] = (state[2] + (state[2] << 3)) >>> 0;
    state[2] = (((state[2] << 21) | (state[2] >>> 11)) + sum) >>> 0;
    return sum;
  }

  /** An integer of 0 to `limit - 1`. */
  below(limit: number): number {
    return Math.floor((this.bits() / 2 ** 32) * limit);
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.bits() / 2 ** 32 < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  /** Bytes that don't compress. */
  bytes(length: number): Buffer {
    const key = createHash('sha256').update(`${this.#seed}#${this.#streams++}`).digest();
    return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
  }

  /** Text that compresses about as well as prose or source code. */
  text(length: number): Buffer {
    const lines: string[] = [];
    for (let written = 0; written < length;) {
      const words = Array.from({ length: this.between(4, 14) }, () => this.#word());
      const line = `${' '.repeat(2 * this.below(5))}${words.join(' ')}${this.pick(['.', ';', ' {', ' }', ''])}\n`;
      lines.push(line);
      written += line.length;
    }
    return Buffer.from(lines.join(''), 'latin1').subarray(0, length);
  }

  #word(): string {
    return this.chance(0.1) ? this.bits().toString(36) : this.pick(WORDS);
  }
}

const WORDS = (
  'the of and to in is that for it as was with be by on not he his but at are this have from or had an they which ' +
  'one you were all her she there would their we him been has when who will no more if out so said what up its about ' +
  'into than them can only other new some could time these two may then do first any my now such like our over man me ' +
  'even most made after also did many before must through back years where much your way well down should because each ' +
  'return const function import export string number boolean interface readonly length value index buffer stream folder ' +
  'snapshot tenant device chunk catalog manifest invoice customer address amount total payment date order product price'
).split(' ');
