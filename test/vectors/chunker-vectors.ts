// `node test/vectors/chunker-vectors.ts` prints chunker.json, made by the reference alone. It is frozen: a new
// chunker gets a new id and a new file.

import { createHash } from 'node:crypto';
import {
  referenceCuts,
  referenceCutValue,
  referenceKeys,
  type ReferenceKeys,
  type ReferenceParameters,
} from './reference-chunker.ts';

/** A stream's content is its pieces, one after the other. */
export type Piece =
  /** The first bytes of SHAKE256 of the seed, which is ASCII. */
  | { readonly shake256: string; readonly bytes: number }
  /** The hexadecimal bytes, again and again. */
  | { readonly repeat: string; readonly bytes: number };

export interface ChunkerVector {
  readonly about: string;
  readonly cdcKey: string;
  readonly parameters: ReferenceParameters;
  readonly content: readonly Piece[];
  /** Of the content, for whoever wants to know that he has made it right. */
  readonly sha256: string;
  readonly cuts: readonly number[];
}

export interface ChunkerVectors {
  readonly id: 'gear64-siphash24-1';
  readonly keys: readonly {
    readonly cdcKey: string;
    readonly gearTableFirst: string;
    readonly gearTableLast: string;
    readonly sipKey: string;
  }[];
  readonly streams: readonly ChunkerVector[];
}

export function contentOf(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(
    pieces.map((piece) =>
      'shake256' in piece
        ? createHash('shake256', { outputLength: piece.bytes }).update(piece.shake256).digest()
        : Buffer.alloc(piece.bytes, Buffer.from(piece.repeat, 'hex')),
    ),
  );
}

const small = { minBytes: 1024, averageBytes: 4096, maxBytes: 16_384 };
const odd = { minBytes: 1500, averageBytes: 3777, maxBytes: 9999 };
const standard = { minBytes: 262_144, averageBytes: 1_048_576, maxBytes: 4_194_304 };
const firstKey = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const secondKey = 'f'.repeat(64);

/** A key under which a run of one byte is a candidate at every place: 2^64 − T[byte] < 2^56. */
function keyWithCandidateRuns(byte: number): string {
  for (let tried = 0; ; tried++) {
    const cdcKey = createHash('sha256').update(`run ${tried}`).digest();
    const state = BigInt.asUintN(64, -referenceKeys(cdcKey).gearTable[byte]!);
    if (state < 2n ** 56n) return cdcKey.toString('hex');
  }
}

const random = (bytes: number): Piece => ({ shake256: 'cofre', bytes });
const zeros = (bytes: number): Piece => ({ repeat: '00', bytes });

/** Values from `lowest` on and below `limit` decide alike in chunks of the small sizes. */
interface ValueRange {
  readonly lowest: bigint;
  readonly limit: bigint;
}

const smallSpread = BigInt(small.averageBytes - small.minBytes);
const endsAny: ValueRange = { lowest: 0n, limit: 2n ** 73n / (3n * smallSpread) };
const endsLong: ValueRange = { lowest: endsAny.limit, limit: 2n ** 73n / smallSpread };
const endsNone: ValueRange = { lowest: endsLong.limit, limit: 2n ** 64n };

/** 64 bytes that decide so, whatever was before them, and that `suits` agrees to. `head` gives the first. */
function findWindow(
  cdcKey: string,
  { lowest, limit }: ValueRange,
  suits: (window: Buffer, keys: ReferenceKeys) => boolean,
  head = Buffer.alloc(0),
): Buffer {
  const keys = referenceKeys(Buffer.from(cdcKey, 'hex'));
  for (let tried = 0; ; tried++) {
    const tail = contentOf([{ shake256: `window ${tried}`, bytes: 64 - head.length }]);
    const window = Buffer.concat([head, tail]);
    const value = referenceCutValue(keys, window);
    if (value !== null && value >= lowest && value < limit && suits(window, keys)) return window;
  }
}

/** Whether the oldest byte matters: its T is odd, so that it reaches the highest bit of the state. */
const oldestMatters = (window: Buffer, { gearTable }: ReferenceKeys): boolean =>
  gearTable[window[0]!]! % 2n === 1n;

/** Whether no other candidate lies between the window and its repetition. */
function isAloneTwice(window: Buffer, keys: ReferenceKeys): boolean {
  const twice = Buffer.concat([window, window]);
  return window.every((_, at) => at === 0 || referenceCutValue(keys, twice.subarray(at, at + 64)) === null);
}

function literal(bytes: Buffer): Piece {
  return { repeat: bytes.toString('hex'), bytes: bytes.length };
}

/** Windows that end at the edges of each rule, behind bytes that never end a chunk. */
function edges(cdcKey: string): Piece[] {
  const { minBytes, averageBytes, maxBytes } = small;
  const short = literal(findWindow(cdcKey, endsAny, oldestMatters));
  const long = literal(findWindow(cdcKey, endsLong, oldestMatters));
  const endingAt = (length: number, window: Piece): Piece[] => [zeros(length - 64), window];
  return [
    ...endingAt(minBytes, short),
    // One byte too early: the chunk goes on to its maximum.
    ...endingAt(minBytes - 1, short),
    zeros(maxBytes - minBytes + 1),
    ...endingAt(averageBytes - 1, short),
    ...endingAt(averageBytes, long),
    // Decided by the smaller threshold still: the chunk goes on to its maximum.
    ...endingAt(averageBytes - 1, long),
    zeros(maxBytes - averageBytes + 1),
    ...endingAt(maxBytes - 1, long),
    zeros(100),
  ];
}

/**
 * A candidate that ends nothing, twice with no other between, and then its last byte again and again: this is not a
 * run of candidates, so each of these bytes counts for the window that begins with them and ends the chunk.
 */
function recurrence(cdcKey: string): Piece[] {
  const rejected = findWindow(cdcKey, endsNone, isAloneTwice);
  const ending = findWindow(cdcKey, endsAny, () => true, Buffer.alloc(5, rejected.subarray(-1)));
  return [zeros(1500), literal(rejected), literal(rejected), literal(ending), zeros(100)];
}

type Task = Omit<ChunkerVector, 'sha256' | 'cuts'>;

function tasks(): Task[] {
  const runKey = keyWithCandidateRuns(0);
  return [
    { about: 'empty', cdcKey: firstKey, parameters: small, content: [] },
    { about: 'one byte', cdcKey: firstKey, parameters: small, content: [random(1)] },
    { about: 'exactly the minimum', cdcKey: firstKey, parameters: small, content: [random(1024)] },
    { about: 'random', cdcKey: firstKey, parameters: small, content: [random(262_144)] },
    { about: 'random, other key', cdcKey: secondKey, parameters: small, content: [random(262_144)] },
    { about: 'random, odd sizes', cdcKey: firstKey, parameters: odd, content: [random(262_144)] },
    {
      about: 'zeros, no multiple of the maximum',
      cdcKey: firstKey,
      parameters: small,
      content: [zeros(50_000)],
    },
    {
      about: 'zeros that are a candidate at every place, between random bytes',
      cdcKey: runKey,
      parameters: small,
      content: [random(5000), zeros(60_000), random(30_000), zeros(7001), random(30_000)],
    },
    {
      about: 'text with a short period',
      cdcKey: secondKey,
      parameters: small,
      content: [
        {
          repeat: Buffer.from('All work and no play makes Jack a dull boy.\n').toString('hex'),
          bytes: 100_000,
        },
      ],
    },
    { about: 'the edges of every rule', cdcKey: firstKey, parameters: small, content: edges(firstKey) },
    {
      about: 'a rejected candidate that comes again',
      cdcKey: firstKey,
      parameters: small,
      content: recurrence(firstKey),
    },
    {
      about: 'default sizes',
      cdcKey: firstKey,
      parameters: standard,
      content: [random(6_000_000), zeros(5_000_000), random(1_000_000)],
    },
  ];
}

export function makeVectors(): ChunkerVectors {
  const streams = tasks().map((task): ChunkerVector => {
    const content = contentOf(task.content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    return {
      ...task,
      sha256,
      cuts: referenceCuts(Buffer.from(task.cdcKey, 'hex'), task.parameters, content),
    };
  });
  const keys = [...new Set(streams.map(({ cdcKey }) => cdcKey))].map((cdcKey) => {
    const { gearTable, sipKey } = referenceKeys(Buffer.from(cdcKey, 'hex'));
    const hexWord = (index: number): string => gearTable[index]!.toString(16).padStart(16, '0');
    return {
      cdcKey,
      gearTableFirst: hexWord(0),
      gearTableLast: hexWord(255),
      sipKey: Buffer.from(sipKey).toString('hex'),
    };
  });
  return { id: 'gear64-siphash24-1', keys, streams };
}

/** One key or stream a line. */
function printVectors({ id, keys, streams }: ChunkerVectors): string {
  return `{\n  "id": "${id}",\n  "keys": ${printLines(keys)},\n  "streams": ${printLines(streams)}\n}`;
}

function printLines(items: readonly object[]): string {
  return `[\n${items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`;
}

if (import.meta.main) console.log(printVectors(makeVectors()));
