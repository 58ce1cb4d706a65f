import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import type { ChunkId } from '@cofre/shared/ids';
import type { Extent, Slice } from '@cofre/shared/format/entry';
import { contentPieces } from './content-layout.ts';

const slice = (length: number, offset = 0, id = 'a'): Slice => ({ chunkId: id as ChunkId, offset, length });

function places(size: number, holes: readonly Extent[], slices: readonly Slice[]) {
  return [...contentPieces(size, holes, slices)].map(({ chunkOffset, length, fileOffset }) => {
    return [chunkOffset, length, fileOffset];
  });
}

describe('the places of content in a file', () => {
  test('follow each other where there are no holes', () => {
    expect(places(30, [], [slice(10, 5), slice(20, 100)])).toEqual([
      [5, 10, 0],
      [100, 20, 10],
    ]);
  });

  test('leave holes out, and cut a slice that spans one', () => {
    const holes = [
      { offset: 0, length: 4 },
      { offset: 10, length: 10 },
    ];
    expect(places(24, holes, [slice(9, 50), slice(1, 0)])).toEqual([
      [50, 6, 4],
      [56, 3, 20],
      [0, 1, 23],
    ]);
  });

  test('are none for a file that is empty or only a hole', () => {
    expect(places(0, [], [])).toEqual([]);
    expect(places(100, [{ offset: 0, length: 100 }], [])).toEqual([]);
  });

  test('cover exactly what is no hole, whatever the slices', () => {
    const parts = fc.array(fc.record({ hole: fc.boolean(), length: fc.integer({ min: 1, max: 50 }) }));
    const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 });
    fc.assert(
      fc.property(parts, lengths, (layout, cuts) => {
        const { size, holes, data } = fileOf(layout);
        const written = new Uint8Array(size);
        for (const piece of contentPieces(size, holes, cutInto(data.length, cuts))) {
          for (let at = 0; at < piece.length; at++) {
            expect(written[piece.fileOffset + at]).toBe(0);
            // The one chunk of this test holds the data in order.
            written[piece.fileOffset + at] = data[piece.chunkOffset + at] ?? 0;
          }
        }
        expect([...written].filter((value) => value > 0)).toEqual(data);
        for (const { offset, length } of holes) {
          expect(written.subarray(offset, offset + length).every((value) => value === 0)).toBe(true);
        }
      }),
    );
  });

  test.each([
    ['too little content', 10, [], [slice(9)]],
    ['too much content', 10, [], [slice(11)]],
    ['content for a hole', 10, [{ offset: 5, length: 5 }], [slice(6)]],
    ['a hole beyond the end', 10, [{ offset: 5, length: 6 }], [slice(5)]],
    [
      'holes out of order',
      10,
      [
        { offset: 5, length: 1 },
        { offset: 2, length: 1 },
      ],
      [slice(8)],
    ],
    ['an empty hole', 10, [{ offset: 5, length: 0 }], [slice(10)]],
  ])('refuse %s', (_, size, holes, slices) => {
    expect(() => places(size, holes, slices)).toThrow(expect.objectContaining({ code: 'damaged' }));
  });
});

/** Holes and data as listed; each byte of data is 1 to 251. Holes that touch become one. */
function fileOf(layout: readonly { hole: boolean; length: number }[]) {
  const holes: { offset: number; length: number }[] = [];
  const data: number[] = [];
  let size = 0;
  for (const { hole, length } of layout) {
    const last = holes.at(-1);
    if (!hole) for (let at = 0; at < length; at++) data.push(((size + at) % 251) + 1);
    else if (last && last.offset + last.length === size) last.length += length;
    else holes.push({ offset: size, length });
    size += length;
  }
  return { size, holes, data };
}

function cutInto(total: number, cuts: readonly number[]): Slice[] {
  const slices: Slice[] = [];
  for (let done = 0; done < total;) {
    const length = Math.min(cuts[slices.length % cuts.length] ?? 1, total - done);
    slices.push(slice(length, done));
    done += length;
  }
  return slices;
}
