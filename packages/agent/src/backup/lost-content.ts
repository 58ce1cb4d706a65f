import type { EntryMetadata } from '@cofre/shared/catalog/entry-codec';
import { CofreError } from '@cofre/shared/errors';
import type { Extent, Slice } from '@cofre/shared/format/entry';
import type { ChunkId } from '@cofre/shared/ids';
import { contentPieces } from '../restore/target/content-layout.ts';

/** What is left of a file's content: what was lost has become holes. */
export interface RemainingContent {
  readonly holes: readonly Extent[];
  readonly slices: readonly Slice[];
}

/**
 * Takes out of a file's content what the server does not have any more, so that a snapshot without it can be made.
 * Null for content that contradicts its entry: then nothing of it can be placed.
 */
export function remainingContent(
  { size, holes = [] }: Pick<EntryMetadata, 'size' | 'holes'>,
  slices: readonly Slice[],
  isThere: (chunkId: ChunkId) => boolean,
): RemainingContent | null {
  const gaps: Extent[] = [...holes];
  const kept: Slice[] = [];
  try {
    for (const { slice, chunkOffset, length, fileOffset } of contentPieces(size, holes, slices)) {
      if (isThere(slice.chunkId)) kept.push({ chunkId: slice.chunkId, offset: chunkOffset, length });
      else gaps.push({ offset: fileOffset, length });
    }
  } catch (error) {
    if (error instanceof CofreError) return null;
    throw error;
  }
  return { holes: joined(gaps), slices: kept };
}

/** Ascending, and those that touch as one. */
function joined(gaps: readonly Extent[]): Extent[] {
  const result: Extent[] = [];
  for (const gap of gaps.toSorted((a, b) => a.offset - b.offset)) {
    const last = result.at(-1);
    if (last !== undefined && last.offset + last.length === gap.offset) {
      result[result.length - 1] = { offset: last.offset, length: last.length + gap.length };
    } else {
      result.push(gap);
    }
  }
  return result;
}
