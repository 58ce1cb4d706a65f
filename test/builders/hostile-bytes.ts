import * as fc from 'fast-check';
import { CofreError, type ErrorCode } from '@cofre/shared/errors';

/** Each copy of `bytes` with a single bit flipped, and where. */
export function* flippedBits(bytes: Uint8Array): Generator<{ readonly bit: number; readonly bytes: Buffer }> {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    yield { bit, bytes: flipped };
  }
}

/** The code of the CofreError that `run` throws, or null when it throws none. Anything else that is thrown goes on. */
export function refusalOf(run: () => unknown): ErrorCode | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof CofreError) return error.code;
    throw error;
  }
}

/** As {@link refusalOf}, for what answers later. */
export async function laterRefusalOf(run: () => Promise<unknown>): Promise<ErrorCode | null> {
  try {
    await run();
    return null;
  } catch (error) {
    if (error instanceof CofreError) return error.code;
    throw error;
  }
}

/** One thing that happens to bytes on their way. */
interface Mutation {
  readonly kind: 'set' | 'insert' | 'remove' | 'cut' | 'repeat' | 'number';
  readonly at: number;
  readonly value: number;
  readonly count: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('set', 'insert', 'remove', 'cut', 'repeat', 'number'),
  at: fc.nat(0xffff),
  value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
  count: fc.integer({ min: 1, max: 16 }),
});

/** `valid` bytes of one of the kinds given, changed a few times; sometimes not at all. */
export function mutated(...valid: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...valid), fc.array(mutation, { maxLength: 4 }))
    .map(([bytes, mutations]) => mutations.reduce(mutate, Buffer.from(bytes)));
}

const MUTATIONS: Record<Mutation['kind'], (before: Buffer, after: Buffer, change: Mutation) => Buffer[]> = {
  set: (before, after, { value }) => [before, Buffer.from([value]), after.subarray(1)],
  insert: (before, after, { value, count }) => [before, Buffer.alloc(count, value), after],
  remove: (before, after, { count }) => [before, after.subarray(count)],
  cut: (before) => [before],
  repeat: (before, after, { count }) => [before, after.subarray(0, count), after],
  // A length or a count, as large as it gets.
  number: (before, after, { value }) => [
    before,
    Buffer.alloc(4, value === 0 ? 0xff : value),
    after.subarray(4),
  ],
};

function mutate(bytes: Buffer, change: Mutation): Buffer {
  const place = bytes.length === 0 ? 0 : change.at % bytes.length;
  return Buffer.concat(MUTATIONS[change.kind](bytes.subarray(0, place), bytes.subarray(place), change));
}
