import { createChunker, type Chunker } from '@cofre/agent/chunker/chunker';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cutStream } from '../builders/cut-stream.ts';
import { contentOf, makeVectors, type ChunkerVector, type ChunkerVectors } from './chunker-vectors.ts';
import { referenceSipHash } from './reference-chunker.ts';

const file = join(import.meta.dirname, 'chunker.json');
const vectors = JSON.parse(readFileSync(file, 'utf8')) as ChunkerVectors;

describe('the reference chunker', () => {
  test.each([
    // The example of the paper, and the line for 8 bytes from the table of SipHash's authors.
    [15, 0xa129ca6149be45e5n],
    [8, 0x93f5f5799a932462n],
  ])('agrees with the published SipHash-2-4 of %i bytes', (bytes, expected) => {
    const counting = Uint8Array.from({ length: 16 }, (_, index) => index);
    expect(referenceSipHash(counting, counting.subarray(0, bytes))).toBe(expected);
  });

  test('makes the frozen vectors', () => {
    expect(makeVectors()).toEqual(vectors);
  });
});

const isShort = (vector: ChunkerVector): boolean => contentOf(vector.content).length < 300_000;

function chunkerOf({ cdcKey, parameters }: ChunkerVector, slabBytes?: number): Chunker {
  return createChunker(Buffer.from(cdcKey, 'hex'), { id: vectors.id, ...parameters }, slabBytes);
}

describe.each(vectors.streams)('frozen stream: $about', (vector) => {
  const stream = contentOf(vector.content);
  const { maxBytes } = vector.parameters;

  test('its content is made as it was', () => {
    expect(createHash('sha256').update(stream).digest('hex')).toBe(vector.sha256);
  });

  test('is cut at the frozen places when it is read at once', () => {
    const chunker = chunkerOf(vector, Math.max(stream.length, maxBytes));
    expect(cutStream(chunker, stream, [stream.length])).toEqual(vector.cuts);
  });

  test('is cut at the frozen places through the smallest slab', () => {
    expect(cutStream(chunkerOf(vector, maxBytes), stream, [maxBytes])).toEqual(vector.cuts);
  });

  test('is cut at the frozen places when it is read in pieces', () => {
    expect(cutStream(chunkerOf(vector), stream, [60_001])).toEqual(vector.cuts);
  });
});

describe.each(vectors.streams.filter(isShort))('frozen short stream: $about', (vector) => {
  test('is cut at the frozen places when it is read byte by byte', () => {
    const chunker = chunkerOf(vector, vector.parameters.maxBytes);
    expect(cutStream(chunker, contentOf(vector.content), [1])).toEqual(vector.cuts);
  });
});
