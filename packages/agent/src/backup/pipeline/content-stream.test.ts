import type { Slice } from '@cofre/shared/format/entry';
import type { ChunkId } from '@cofre/shared/ids';
import { sha256 } from '@cofre/shared/hash';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createChunker, type Chunker } from '../../chunker/chunker.ts';
import { CHUNKER_ID, type ChunkerParameters } from '../../chunker/chunker-parameters.ts';
import { SeededRandom } from '../../../../../test/builders/seeded-random.ts';
import { ContentStream } from './content-stream.ts';

const PARAMETERS: ChunkerParameters = {
  id: CHUNKER_ID,
  minBytes: 4096,
  averageBytes: 8192,
  maxBytes: 16_384,
};
const SLAB_BYTES = 40_000;
const content = new SeededRandom(3).bytes(400_000);

function chunkerOf(slabBytes = SLAB_BYTES): Chunker {
  return createChunker(Buffer.alloc(32, 5), PARAMETERS, slabBytes);
}

/** Keeps what was cut, by id. */
class Store {
  readonly chunks = new Map<ChunkId, Buffer>();
  readonly lengths: number[] = [];

  take = async (chunks: readonly Uint8Array[]): Promise<readonly ChunkId[]> => {
    // The bytes must stay what they are while somebody waits.
    const before = chunks.map((chunk) => Buffer.from(chunk));
    await new Promise((resolve) => setImmediate(resolve));
    return chunks.map((chunk, place) => {
      expect(Buffer.from(chunk)).toEqual(before[place]);
      const id = sha256(chunk).toString('hex') as ChunkId;
      this.chunks.set(id, Buffer.from(chunk));
      this.lengths.push(chunk.length);
      return id;
    });
  };

  read(slices: readonly Slice[]): Buffer {
    return Buffer.concat(
      slices.map(({ chunkId, offset, length }) => {
        const chunk = this.chunks.get(chunkId) as Buffer;
        expect(length).toBeGreaterThan(0);
        expect(offset + length).toBeLessThanOrEqual(chunk.length);
        return chunk.subarray(offset, offset + length);
      }),
    );
  }
}

/** Writes parts of the content, `step` bytes at most at a time. */
async function writeAll(stream: ContentStream, parts: readonly Buffer[], step: number): Promise<void> {
  for (const part of parts) {
    for (let written = 0; written < part.length;) {
      const room = await stream.room(Math.min(step, part.length - written));
      expect(room.length).toBeGreaterThan(0);
      room.set(part.subarray(written, written + room.length));
      stream.wrote(room.length);
      written += room.length;
    }
  }
}

test('whatever the parts and the steps, every part comes back by its slices', async () => {
  const sizes = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 500 }), fc.nat({ max: 60_000 })), {
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.integer({ min: 1, max: 50_000 }),
      fc.nat({ max: 100_000 }),
      async (lengths, step, from) => {
        let position = from;
        const whole = lengths.map((length) => {
          const part = content.subarray(position, position + length);
          position += part.length;
          return part;
        });
        const store = new Store();
        const stream = new ContentStream(chunkerOf(), store.take);
        await writeAll(stream, whole, Math.max(step, 37));
        await stream.finish();
        const length = whole.reduce((sum, part) => sum + part.length, 0);
        expect(stream.length).toBe(length);
        expect(store.lengths.reduce((sum, each) => sum + each, 0)).toBe(length);
        let start = 0;
        for (const part of whole) {
          expect(store.read(stream.slices(start, start + part.length))).toEqual(Buffer.from(part));
          start += part.length;
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('cuts do not depend on the slab, nor on how the content was written', async () => {
  const cutsWith = async (slabBytes: number, step: number): Promise<number[]> => {
    const store = new Store();
    const stream = new ContentStream(chunkerOf(slabBytes), store.take);
    await writeAll(stream, [content], step);
    await stream.finish();
    return store.lengths;
  };
  const expected = await cutsWith(1_000_000, 1_000_000);
  expect(await cutsWith(SLAB_BYTES, 1000)).toEqual(expected);
  expect(await cutsWith(PARAMETERS.maxBytes, 333_333)).toEqual(expected);
});

test('a chunker is used by one stream after the other', async () => {
  const chunker = chunkerOf();
  const lengths: number[][] = [];
  for (let count = 0; count < 2; count++) {
    const store = new Store();
    const stream = new ContentStream(chunker, store.take);
    await writeAll(stream, [content.subarray(0, 100_001)], 7000);
    await stream.finish();
    expect(store.read(stream.slices(0, 100_001))).toEqual(content.subarray(0, 100_001));
    lengths.push(store.lengths);
  }
  expect(lengths[1]).toEqual(lengths[0]);
});

test('an empty stream has no chunk, and empty ranges have no slices', async () => {
  const store = new Store();
  const stream = new ContentStream(chunkerOf(), store.take);
  await stream.finish();
  expect(stream.slices(0, 0)).toEqual([]);
  expect(store.lengths).toEqual([]);
});
