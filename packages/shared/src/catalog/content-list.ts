import type { Slice } from '../format/entry.ts';
import type { ChunkId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { encodeList, type ContentReference, type EncodedNode, type ListReference } from './node.ts';

/** Names, seals and keeps a node; gives its id. */
export type EmitNode = (type: 'catalog' | 'list', node: EncodedNode) => ChunkId;

/**
 * Content as an entry refers to it: short lists stay in the leaf, longer ones become a tree of list nodes.
 * Lists are cut where the last byte pairs of a chunk's id say so, so that a change in the middle of a large
 * file rewrites a few nodes.
 */
export function referenceContent(
  slices: readonly Slice[],
  emit: EmitNode,
  inlineSlicesMax: number = LIMITS.inlineSlicesMax,
): ContentReference {
  if (slices.length <= inlineSlicesMax) return { kind: 'slices', slices };
  let level = 0;
  let items: readonly Slice[] = slices;
  for (;;) {
    const parents: Slice[] = [];
    for (const run of cutRuns(items)) parents.push(emitList(level, run, emit));
    const [only] = parents;
    if (only !== undefined && parents.length === 1) return { kind: 'list', list: asReference(only, level) };
    items = parents;
    level += 1;
  }
}

/** A list, as the slice by which the level above refers to it. */
function emitList(level: number, slices: readonly Slice[], emit: EmitNode): Slice {
  let length = 0;
  for (const slice of slices) length += slice.length;
  return { chunkId: emit('list', encodeList({ level, slices })), offset: 0, length };
}

function asReference(slice: Slice, level: number): ListReference {
  return { chunkId: slice.chunkId, level, length: slice.length };
}

function* cutRuns(items: readonly Slice[]): Generator<readonly Slice[]> {
  const { listNodeSlicesMin, listNodeSlicesAverage, listNodeSlicesMax } = LIMITS;
  const threshold = 2 ** 32 / (listNodeSlicesAverage - listNodeSlicesMin);
  let start = 0;
  for (let index = 0; index < items.length; index++) {
    const count = index + 1 - start;
    const isCut = count >= listNodeSlicesMin && cutNumber((items[index] as Slice).chunkId) < threshold;
    if (isCut || count >= listNodeSlicesMax) {
      yield items.slice(start, index + 1);
      start = index + 1;
    }
  }
  if (start < items.length) yield items.slice(start);
}

/** Ids are keyed hashes already: their last four bytes are as good as a coin. */
function cutNumber(chunkId: ChunkId): number {
  return Number.parseInt(chunkId.slice(-8), 16);
}
