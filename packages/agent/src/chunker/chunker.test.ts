import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { cutStream } from '../../../../test/builders/cut-stream.ts';
import { referenceCuts } from '../../../../test/vectors/reference-chunker.ts';
import { createChunker } from './chunker.ts';
import { deriveChunkerKeys } from './chunker-keys.ts';
import { CHUNKER_ID, DEFAULT_CHUNKER_PARAMETERS, type ChunkerParameters } from './chunker-parameters.ts';
import { instantiateGear, SLAB_ADDRESS } from './gear-instance.ts';

const parameters: ChunkerParameters = {
  id: CHUNKER_ID,
  minBytes: 1024,
  averageBytes: 4096,
  maxBytes: 16_384,
};
const slabBytes = 64 * 1024;
const key = Buffer.alloc(32, 7);
/** Under it, runs of zeros are a candidate at every place (see test/vectors/chunker.json). */
const zeroRunKey = Buffer.from('da0ffa551fb6392f08af2490d35f3d72577c043ac400b72b888759605b1554e1', 'hex');

function randomBytesOf(seed: number, bytes: number): Buffer {
  return createHash('shake256', { outputLength: bytes }).update(String(seed)).digest();
}

function averages(count: number): number {
  return count * parameters.averageBytes;
}

function chunkLengths(cuts: readonly number[]): number[] {
  return cuts.map((cut, index) => cut - (cuts[index - 1] ?? 0));
}

/** Random bytes of few or many kinds, runs, and repetitions, one after the other. */
const streams = fc
  .array(
    fc.record({
      seed: fc.nat(),
      bytes: fc.nat({ max: 20_000 }),
      period: fc.constantFrom(1, 2, 90, 3000, 20_000),
      mask: fc.constantFrom(0, 1, 15, 255),
    }),
    { maxLength: 5 },
  )
  .map((pieces) =>
    Buffer.concat(
      pieces.map(({ seed, bytes, period, mask }) =>
        Buffer.alloc(
          bytes,
          randomBytesOf(seed, period).map((byte) => byte & mask),
        ),
      ),
    ),
  );
const keys = fc.constantFrom(key, zeroRunKey);

describe('cutting a stream', () => {
  test('agrees with the reference', () => {
    fc.assert(
      fc.property(keys, streams, (cdcKey, stream) => {
        const cuts = cutStream(createChunker(cdcKey, parameters, slabBytes), stream, [slabBytes]);
        expect(cuts).toEqual(referenceCuts(cdcKey, parameters, stream));
      }),
      { numRuns: 40 },
    );
  });

  test('does not depend on how it is read', () => {
    const reads = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(keys, streams, reads, (cdcKey, stream, readBytes) => {
        const chunker = createChunker(cdcKey, parameters, slabBytes);
        const atOnce = cutStream(createChunker(cdcKey, parameters, 128 * 1024), stream, [stream.length]);
        expect(cutStream(chunker, stream, readBytes)).toEqual(atOnce);
      }),
    );
  });

  test('covers it whole, with every chunk inside its bounds', () => {
    fc.assert(
      fc.property(keys, streams, (cdcKey, stream) => {
        const cuts = cutStream(createChunker(cdcKey, parameters, slabBytes), stream, [slabBytes]);
        expect(cuts.at(-1) ?? 0).toBe(stream.length);
        const lengths = chunkLengths(cuts);
        expect(lengths.every((length) => length > 0 && length <= parameters.maxBytes)).toBe(true);
        expect(lengths.slice(0, -1).every((length) => length >= parameters.minBytes)).toBe(true);
      }),
    );
  });

  test('goes on alike behind a cut, whatever was before it', () => {
    const stream = randomBytesOf(1, 200_000);
    const chunker = createChunker(key, parameters, slabBytes);
    const cuts = cutStream(chunker, stream, [slabBytes]);
    const behindTenth = cutStream(chunker, stream.subarray(cuts[9]), [slabBytes]);
    expect(behindTenth.map((cut) => cuts[9]! + cut)).toEqual(cuts.slice(10));
  });
});

describe('an edit', () => {
  test('changes only chunks nearby', () => {
    const chunker = createChunker(key, parameters, slabBytes);
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 0, max: averages(8) }),
        fc.nat({ max: 255 }),
        (seed, at, byte) => {
          const before = randomBytesOf(seed, averages(64));
          const after = Buffer.concat([before.subarray(0, at), Buffer.of(byte), before.subarray(at)]);
          const cutsBefore = cutStream(chunker, before, [slabBytes]);
          const cutsAfter = cutStream(chunker, after, [slabBytes]);
          expect(cutsAfter.filter((cut) => cut <= at)).toEqual(cutsBefore.filter((cut) => cut <= at));
          const far = (cuts: number[]): number[] => cuts.filter((cut) => cut > at + averages(40));
          expect(far(cutsAfter.map((cut) => cut - 1))).toEqual(far(cutsBefore));
        },
      ),
    );
  });

  test('moves less than half a cut on average', () => {
    const chunker = createChunker(key, parameters, slabBytes);
    const edits = 200;
    const at = averages(4);
    let moved = 0;
    for (let edit = 0; edit < edits; edit++) {
      const before = randomBytesOf(edit, averages(16));
      const after = Buffer.concat([before.subarray(0, at), Buffer.of(1), before.subarray(at)]);
      const cutsBefore = new Set(cutStream(chunker, before, [slabBytes]));
      const cutsAfter = cutStream(chunker, after, [slabBytes]);
      moved += cutsAfter.filter((cut) => !cutsBefore.has(cut > at ? cut - 1 : cut)).length;
    }
    expect(moved / edits).toBeLessThan(0.5);
  });
});

describe('keys', () => {
  const stream = randomBytesOf(2, 400_000);

  test('different ones cut differently', () => {
    const cuts = new Set(cutStream(createChunker(key, parameters, slabBytes), stream, [slabBytes]));
    const others = cutStream(createChunker(Buffer.alloc(32, 8), parameters, slabBytes), stream, [slabBytes]);
    expect(others.filter((cut) => cuts.has(cut))).toEqual([stream.length]);
  });

  test('who knows the gear table still does not know the cuts', () => {
    const derived = deriveChunkerKeys(key);
    const agreements = Array.from({ length: 100 }, (_, seed) => {
      const [cut, otherCut] = [derived.sipKey, Buffer.alloc(16, 1)].map((sipKey) => {
        const gear = instantiateGear({ ...derived, sipKey }, parameters, slabBytes);
        new Uint8Array(gear.memory).set(randomBytesOf(seed, slabBytes), SLAB_ADDRESS);
        return gear.nextCut(SLAB_ADDRESS, SLAB_ADDRESS + slabBytes);
      });
      return cut === otherCut;
    });
    expect(agreements.filter(Boolean).length).toBeLessThan(20);
  });

  test('one of a wrong length is refused', () => {
    expect(() => createChunker(Buffer.alloc(31), parameters)).toThrow(RangeError);
  });
});

test('random content gives chunks of about the average, rarely near the maximum', () => {
  const stream = randomBytesOf(3, 8 * 1024 * 1024);
  const lengths = chunkLengths(cutStream(createChunker(key, parameters), stream, [stream.length])).sort(
    (a, b) => a - b,
  );
  const mean = stream.length / lengths.length;
  expect(mean / parameters.averageBytes).toBeGreaterThan(0.95);
  expect(mean / parameters.averageBytes).toBeLessThan(1.02);
  expect(lengths[Math.floor(lengths.length * 0.99)]).toBeLessThan(0.75 * parameters.maxBytes);
});

describe('the slab', () => {
  test('may be cut in any range of it', () => {
    const stream = randomBytesOf(4, 40_000);
    const chunker = createChunker(key, parameters, slabBytes);
    const cuts = cutStream(chunker, stream, [slabBytes]);
    chunker.slab.fill(255);
    chunker.slab.set(stream, 11_111);
    expect(chunker.cut(11_111, 51_111, true)).toEqual(cuts.map((cut) => cut + 11_111));
  });

  test('belongs to one chunker alone', () => {
    const stream = randomBytesOf(5, 60_000);
    const first = createChunker(key, parameters, slabBytes);
    const second = createChunker(key, parameters, slabBytes);
    first.slab.set(stream);
    second.slab.fill(1);
    expect(first.cut(0, stream.length, true)).toEqual(referenceCuts(key, parameters, stream));
  });

  test('has to hold the largest chunk', () => {
    expect(() => createChunker(key, parameters, parameters.maxBytes - 1)).toThrow(RangeError);
    expect(createChunker(key, parameters, parameters.maxBytes).slab).toHaveLength(parameters.maxBytes);
  });

  test.each([
    [-1, 10],
    [10, 9],
    [0, slabBytes + 1],
    [0.5, 10],
    [0, Number.NaN],
  ])('is not cut from %d to %d', (start, end) => {
    expect(() => createChunker(key, parameters, slabBytes).cut(start, end, true)).toThrow(RangeError);
  });
});

test('the defaults cut zeros into the largest chunks', () => {
  const chunker = createChunker(key, DEFAULT_CHUNKER_PARAMETERS);
  const MIB = 1024 * 1024;
  expect(chunker.cut(0, 8 * MIB, false)).toEqual([4 * MIB, 8 * MIB]);
  expect(chunker.cut(0, 4 * MIB - 1, false)).toEqual([]);
  expect(chunker.cut(0, 4 * MIB - 1, true)).toEqual([4 * MIB - 1]);
});
