import { expect, test } from 'vitest';
import { planReads } from './read-plan.ts';

const MIB = 1024 * 1024;

function plan(
  places: readonly (readonly [pack: number, offset: number, length: number])[],
  runBytesMax = 4 * MIB,
) {
  return planReads(
    {
      packs: Float64Array.from(places, ([pack]) => pack),
      offsets: Float64Array.from(places, ([, offset]) => offset),
      lengths: Uint32Array.from(places, ([, , length]) => length),
    },
    runBytesMax,
  ).map(({ pack, offset, length, blobs }) => [pack, offset, length, blobs.map(({ place }) => place)]);
}

test('neighbours in a pack are read at once', () => {
  expect(
    plan([
      [1, 16, 100],
      [1, 116, 50],
      [1, 166, 10],
    ]),
  ).toEqual([[1, 16, 160, [0, 1, 2]]]);
});

test('a small gap is read over, a large one is not', () => {
  expect(
    plan([
      [1, 0, 100],
      [1, 1000, 100],
    ]),
  ).toEqual([[1, 0, 1100, [0, 1]]]);
  expect(
    plan([
      [1, 0, 100],
      [1, MIB, 100],
    ]),
  ).toHaveLength(2);
});

test('what is asked backwards, twice or from another pack begins a read of its own', () => {
  expect(
    plan([
      [1, 100, 100],
      [1, 0, 100],
    ]),
  ).toHaveLength(2);
  expect(
    plan([
      [1, 0, 100],
      [1, 0, 100],
    ]),
  ).toHaveLength(2);
  expect(
    plan([
      [1, 0, 100],
      [2, 100, 100],
    ]),
  ).toHaveLength(2);
});

test('a read ends at its bound, and a single larger blob is still read whole', () => {
  expect(
    plan(
      [
        [1, 0, 600],
        [1, 600, 600],
      ],
      1000,
    ),
  ).toHaveLength(2);
  expect(plan([[1, 0, 5 * MIB]])).toEqual([[1, 0, 5 * MIB, [0]]]);
});

test('chunks that are not there are answered together, without a read', () => {
  expect(
    plan([
      [0, 0, 0],
      [0, 0, 0],
      [3, 16, 1],
    ]).map(([pack, , , blobs]) => [pack, blobs]),
  ).toEqual([
    [0, [0, 1]],
    [3, [2]],
  ]);
});
