import type { Extent } from '@cofre/shared/format/entry';

/**
 * Cuts the data of a large file into parts of `segmentBytes`, so that several workers can read it at once.
 * The bounds lie at multiples of that length in the data: after an insertion each part costs about a chunk.
 */
export function* segmentsOf(extents: readonly Extent[], segmentBytes: number): Generator<Extent[]> {
  let segment: Extent[] = [];
  let room = segmentBytes;
  for (const extent of extents) {
    let { offset, length } = extent;
    while (length > 0) {
      const part = Math.min(length, room);
      segment.push({ offset, length: part });
      offset += part;
      length -= part;
      room -= part;
      if (room === 0) {
        yield segment;
        segment = [];
        room = segmentBytes;
      }
    }
  }
  if (segment.length > 0) yield segment;
}
