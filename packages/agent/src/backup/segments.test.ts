import type { Extent } from '@cofre/shared/format/entry';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { segmentsOf } from './segments.ts';

/** Extents that ascend and do not touch, as a map of a sparse file gives them. */
const extents = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 300 })), { maxLength: 20 })
  .map((gaps) => {
    let position = 0;
    return gaps.map(([gap, length]): Extent => {
      const offset = position + gap;
      position = offset + length;
      return { offset, length };
    });
  });

function bytesOf(segment: readonly Extent[]): number[] {
  return segment.flatMap(({ offset, length }) => Array.from({ length }, (_, index) => offset + index));
}

test('segments hold all data once, in order, and all but the last are full', () => {
  fc.assert(
    fc.property(extents, fc.integer({ min: 1, max: 400 }), (data, segmentBytes) => {
      const segments = [...segmentsOf(data, segmentBytes)];
      expect(segments.flatMap(bytesOf)).toEqual(bytesOf(data));
      const lengths = segments.map((segment) => bytesOf(segment).length);
      const last = lengths.pop() ?? 1;
      expect(lengths).toEqual(lengths.map(() => segmentBytes));
      expect(last).toBeGreaterThan(0);
      expect(last).toBeLessThanOrEqual(segmentBytes);
    }),
  );
});

test('a file without data has no segments', () => {
  expect([...segmentsOf([], 10)]).toEqual([]);
});
