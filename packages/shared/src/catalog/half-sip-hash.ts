/**
 * HalfSipHash-2-4 with a 64-bit key and a 32-bit result (Aumasson and Bernstein, SipHash, 2012; the half
 * variant as in their reference code): a keyed hash that is cheap in JavaScript for short strings. Here it
 * only places the cuts of a catalog, so that nobody without the key can tell where they will fall.
 */
export class HalfSipHash {
  private readonly key0: number;
  private readonly key1: number;

  /** @param key 8 bytes */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, 8);
    this.key0 = view.getUint32(0, true);
    this.key1 = view.getUint32(4, true);
  }

  /** @param text one byte a character; the result is from 0 to 2^32 − 1 */
  hash(text: string): number {
    const lanes: Lanes = [this.key0, this.key1, 0x6c796765 ^ this.key0, 0x74656462 ^ this.key1];
    const wholeBytes = text.length & ~3;
    for (let index = 0; index < wholeBytes; index += 4) absorb(lanes, wordAt(text, index, 4), 2);
    absorb(lanes, wordAt(text, wholeBytes, text.length & 3) | ((text.length & 0xff) << 24), 2);
    lanes[2] ^= 0xff;
    for (let round = 0; round < 4; round++) mix(lanes);
    return (lanes[1] ^ lanes[3]) >>> 0;
  }
}

type Lanes = [number, number, number, number];

function wordAt(text: string, start: number, countBytes: number): number {
  let word = 0;
  for (let index = 0; index < countBytes; index++) {
    word |= (text.charCodeAt(start + index) & 0xff) << (8 * index);
  }
  return word;
}

function absorb(lanes: Lanes, word: number, rounds: number): void {
  lanes[3] ^= word;
  for (let round = 0; round < rounds; round++) mix(lanes);
  lanes[0] ^= word;
}

function mix(lanes: Lanes): void {
  let [v0, v1, v2, v3] = lanes;
  v0 = (v0 + v1) | 0;
  v1 = rotate(v1, 5) ^ v0;
  v0 = rotate(v0, 16);
  v2 = (v2 + v3) | 0;
  v3 = rotate(v3, 8) ^ v2;
  v0 = (v0 + v3) | 0;
  v3 = rotate(v3, 7) ^ v0;
  v2 = (v2 + v1) | 0;
  v1 = rotate(v1, 13) ^ v2;
  v2 = rotate(v2, 16);
  lanes[0] = v0;
  lanes[1] = v1;
  lanes[2] = v2;
  lanes[3] = v3;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
