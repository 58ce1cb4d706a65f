import { CofreError } from '@cofre/shared/errors';
import type { Entry, Slice } from '@cofre/shared/format/entry';
import { LIMITS } from '@cofre/shared/limits';
import { contentPieces } from './target/content-layout.ts';
import type { ContentPiece } from './target/target.ts';

type FileEntry = Pick<Entry, 'size' | 'holes'>;

/**
 * Where the slices of a file belong, for a list that is all at hand.
 * @throws CofreError `damaged` when the entry contradicts itself
 */
export function placedPieces({ size, holes }: FileEntry, slices: readonly Slice[]): ContentPiece[] {
  slices.forEach(checkSlice);
  return [...contentPieces(size, holes ?? [], slices)];
}

/** The same, for a list that arrives bit by bit; one slice is held at a time. */
export async function* placedPiecesOf(
  { size, holes }: FileEntry,
  slices: AsyncIterable<Slice>,
): AsyncGenerator<ContentPiece> {
  const source = slices[Symbol.asyncIterator]();
  let next: Slice | null = null;
  const handOver = {
    *[Symbol.iterator]() {
      while (next !== null) {
        const slice: Slice = next;
        next = null;
        yield slice;
      }
    },
  };
  const pieces = contentPieces(size, holes ?? [], handOver);
  let isAtEnd = false;
  for (;;) {
    // Each piece takes one slice at most, as no slice is empty: with one at hand it never meets a false end.
    if (next === null && !isAtEnd) {
      const { value, done } = await source.next();
      if (done === true) isAtEnd = true;
      else {
        checkSlice(value);
        next = value;
      }
    }
    const piece = pieces.next();
    if (piece.done === true) return;
    yield piece.value;
  }
}

function checkSlice({ offset, length }: Slice): void {
  if (length < 1 || offset + length > LIMITS.blobPlaintextBytesMax) {
    throw new CofreError('damaged', {
      what: 'The entry of a file',
      problem: 'a piece that no chunk can hold',
    });
  }
}
