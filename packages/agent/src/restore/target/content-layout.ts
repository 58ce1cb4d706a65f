import { CofreError } from '@cofre/shared/errors';
import type { Extent, Slice } from '@cofre/shared/format/entry';
import type { ContentPiece } from './target.ts';

/**
 * Where each slice of a file's content belongs: the content is the file without its holes, so a slice that
 * spans holes becomes several pieces. Lazy, for lists of any length. Throws `damaged` when content and
 * holes together do not give exactly `sizeBytes`, or holes are not ascending and apart.
 */
export function* contentPieces(
  sizeBytes: number,
  holes: readonly Extent[],
  slices: Iterable<Slice>,
): Generator<ContentPiece> {
  const data = dataExtents(sizeBytes, holes);
  let extent = data.next();
  let usedOfExtent = 0;
  for (const slice of slices) {
    for (let usedOfSlice = 0; usedOfSlice < slice.length;) {
      if (extent.done) throw disagreement('more content than its size');
      const length = Math.min(slice.length - usedOfSlice, extent.value.length - usedOfExtent);
      const fileOffset = extent.value.offset + usedOfExtent;
      yield { slice, chunkOffset: slice.offset + usedOfSlice, length, fileOffset };
      usedOfSlice += length;
      usedOfExtent += length;
      if (usedOfExtent === extent.value.length) {
        extent = data.next();
        usedOfExtent = 0;
      }
    }
  }
  if (!extent.done) throw disagreement('less content than its size');
}

/** What lies between the holes, empty extents left out. */
function* dataExtents(sizeBytes: number, holes: readonly Extent[]): Generator<Extent, undefined> {
  let end = 0;
  for (const hole of holes) {
    if (hole.offset < end || hole.length <= 0) throw disagreement('holes out of order');
    if (hole.offset > end) yield { offset: end, length: hole.offset - end };
    end = hole.offset + hole.length;
  }
  if (end > sizeBytes) throw disagreement('a hole beyond its size');
  if (end < sizeBytes) yield { offset: end, length: sizeBytes - end };
  return undefined;
}

function disagreement(problem: string): CofreError {
  return new CofreError('damaged', { what: 'The entry of a file', problem });
}
