import { hkdfSync } from 'node:crypto';

/**
 * The chunker as its doc comment tells it (packages/agent/src/chunker/chunker.ts), written for being checked by eye:
 * big integers, a whole hash of every byte, nothing skipped, nothing shared with the implementation. Slow.
 */
export interface ReferenceParameters {
  readonly minBytes: number;
  readonly averageBytes: number;
  readonly maxBytes: number;
}

export interface ReferenceKeys {
  readonly gearTable: readonly bigint[];
  readonly sipKey: Uint8Array;
}

const word = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotateLeft = (value: bigint, bits: bigint): bigint => word((value << bits) | (value >> (64n - bits)));
const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

function deriveBytes(cdcKey: Uint8Array, info: string, bytes: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', cdcKey, '', info, bytes));
}

export function referenceKeys(cdcKey: Uint8Array): ReferenceKeys {
  const table = deriveBytes(cdcKey, 'cofre/v1/chunker/gear-table', 2048);
  return {
    gearTable: Array.from({ length: 256 }, (_, index) =>
      littleEndian(table.subarray(8 * index, 8 * index + 8)),
    ),
    sipKey: deriveBytes(cdcKey, 'cofre/v1/chunker/sip-key', 16),
  };
}

/** SipHash-2-4 (Aumasson, Bernstein, 2012) of a message of any length, as a number. */
export function referenceSipHash(key: Uint8Array, message: Uint8Array): bigint {
  const low = littleEndian(key.subarray(0, 8));
  const high = littleEndian(key.subarray(8, 16));
  const initial = ['somepseu', 'dorandom', 'lygenera', 'tedbytes'].map((text) => BigInt('0x' + hexOf(text)));
  let [v0, v1, v2, v3] = initial.map((value, index) => value ^ (index % 2 === 0 ? low : high)) as Words;
  const mix = (rounds: number): void => {
    for (let round = 0; round < rounds; round++) [v0, v1, v2, v3] = sipRound([v0, v1, v2, v3]);
  };
  const wholeBytes = message.length - (message.length % 8);
  const blocks = [];
  for (let at = 0; at < wholeBytes; at += 8) blocks.push(littleEndian(message.subarray(at, at + 8)));
  blocks.push(littleEndian(message.subarray(wholeBytes)) | (BigInt(message.length % 256) << 56n));
  for (const block of blocks) {
    v3 ^= block;
    mix(2);
    v0 ^= block;
  }
  v2 ^= 0xffn;
  mix(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

type Words = [bigint, bigint, bigint, bigint];

const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

function sipRound([a, b, c, d]: Words): Words {
  const a1 = word(a + b);
  const b1 = rotateLeft(b, 13n) ^ a1;
  const c1 = word(c + d);
  const d1 = rotateLeft(d, 16n) ^ c1;
  const a2 = word(rotateLeft(a1, 32n) + d1);
  const c2 = word(c1 + b1);
  return [a2, rotateLeft(b1, 17n) ^ c2, rotateLeft(c2, 32n), rotateLeft(d1, 21n) ^ a2];
}

/** The offsets at which the chunks of a whole stream end. */
export function referenceCuts(
  cdcKey: Uint8Array,
  parameters: ReferenceParameters,
  stream: Uint8Array,
): number[] {
  const { gearTable, sipKey } = referenceKeys(cdcKey);
  const cuts: number[] = [];
  let start = 0;
  let state = 0n;
  for (let end = 1; end <= stream.length; end++) {
    state = word(2n * state + gearTable[stream[end - 1]!]!);
    if (end < stream.length && !endsChunk(state, end - start, parameters, sipKey)) continue;
    cuts.push(end);
    start = end;
    state = 0n;
  }
  return cuts;
}

/** The value that is compared with a threshold after a window of 64 bytes, or null if that is no candidate. */
export function referenceCutValue({ gearTable, sipKey }: ReferenceKeys, window: Uint8Array): bigint | null {
  const state = window.reduce((hash, byte) => word(2n * hash + gearTable[byte]!), 0n);
  return state < 2n ** 56n ? referenceSipHash(sipKey, stateBytes(state)) : null;
}

function stateBytes(state: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, state, true);
  return bytes;
}

function endsChunk(
  state: bigint,
  length: number,
  { minBytes, averageBytes, maxBytes }: ReferenceParameters,
  sipKey: Uint8Array,
): boolean {
  if (length === maxBytes) return true;
  if (length < minBytes || state >= 2n ** 56n) return false;
  const spread = BigInt(averageBytes - minBytes);
  const threshold = 2n ** 73n / (length < averageBytes ? 3n * spread : spread);
  return referenceSipHash(sipKey, stateBytes(state)) < threshold;
}
