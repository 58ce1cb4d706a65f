import type { ByteString } from '@cofre/shared/bytes';
import {
  decodeNodeAt,
  itemOf,
  placesBelow,
  rootPlace,
  type FetchNodes,
  type NodePlace,
  type OpenedNode,
} from '@cofre/shared/catalog/catalog-reader';
import { pathOfKey, type CatalogKey } from '@cofre/shared/catalog/catalog-key';
import { decodeList, type ContentReference, type LeafItem } from '@cofre/shared/catalog/node';
import { CofreError } from '@cofre/shared/errors';
import type { Slice } from '@cofre/shared/format/entry';
import type { ChunkId } from '@cofre/shared/ids';

/** What a walk tells. */
export interface CatalogVisitor {
  /**
   * Called for each node and list that is met; true leaves out what lies below it. Lists of one path must not
   * be gone through twice: a hostile one can name another without end.
   * @param path of a list
   */
  readonly isSkipped: (id: ChunkId, path: ByteString | null) => boolean;
  readonly onContent: (path: ByteString, slices: readonly Slice[]) => void;
  /** A node or list that is lost, or an entry that makes no sense; `path` is the first that it concerns. */
  readonly onProblem: (problem: CatalogProblem) => void;
}

export type CatalogProblemCode = 'catalog_missing' | 'catalog_damaged' | 'catalog_unknown_format';

export interface CatalogProblem {
  readonly path: ByteString;
  readonly code: CatalogProblemCode;
  /** Null when it is an entry. */
  readonly nodeId: ChunkId | null;
  readonly detail: string;
}

/** What is still to be looked at. */
type Pending =
  | { readonly kind: 'node'; readonly chunkId: ChunkId; readonly place: NodePlace }
  | { readonly kind: 'list'; readonly chunkId: ChunkId; readonly path: ByteString; readonly list: Expected };

interface Expected {
  readonly level: number;
  readonly length: number;
}

const BATCH_NODES = 48;

/**
 * Walks a whole catalog, its lists of content included, and goes on past what is lost or makes no sense.
 * Depth first, some nodes at a time: memory is bounded by the depth.
 * @throws CofreError for what is no damage: the server is away, keys are missing
 */
export async function walkCatalog(fetch: FetchNodes, root: ChunkId, visitor: CatalogVisitor): Promise<void> {
  const pending: Pending[] = [];
  const push = (next: Pending): void => {
    if (!visitor.isSkipped(next.chunkId, next.kind === 'list' ? next.path : null)) pending.push(next);
  };
  push({ kind: 'node', chunkId: root, place: rootPlace(root) });
  while (pending.length > 0) {
    const batch = pending.splice(-BATCH_NODES).reverse();
    const opened = await fetchEach(fetch, batch);
    const below: Pending[] = [];
    for (const [index, one] of batch.entries()) {
      const node = opened[index] as OpenedNode | CofreError;
      try {
        if (node instanceof CofreError) throw node;
        if (one.kind === 'node') visitNode(node, one.place, visitor, below);
        else visitList(node, one, visitor, below);
      } catch (error) {
        visitor.onProblem(problemOf(error, one));
      }
    }
    below.reverse().forEach(push);
  }
}

/** All at once, or one by one when one of them is lost. */
async function fetchEach(fetch: FetchNodes, batch: readonly Pending[]): Promise<(OpenedNode | CofreError)[]> {
  try {
    return [...(await fetch(batch.map(({ chunkId }) => chunkId)))];
  } catch (error) {
    if (!isDamage(error)) throw error;
    if (batch.length === 1) return [error];
    const results: (OpenedNode | CofreError)[] = [];
    for (const one of batch) results.push(...(await fetchEach(fetch, [one])));
    return results;
  }
}

function visitNode(opened: OpenedNode, place: NodePlace, visitor: CatalogVisitor, below: Pending[]): void {
  const node = decodeNodeAt(opened, place);
  if (node.kind === 'inner') {
    for (const child of placesBelow(node.items, place)) {
      below.push({ kind: 'node', chunkId: child.chunkId, place: child });
    }
    return;
  }
  for (const leaf of node.items) {
    try {
      visitEntry(leaf, visitor, below);
    } catch (error) {
      if (!isDamage(error)) throw error;
      const path = pathOrNone(leaf.key);
      visitor.onProblem({ path, code: codeOf(error), nodeId: null, detail: error.message });
    }
  }
}

function visitEntry(leaf: LeafItem, visitor: CatalogVisitor, below: Pending[]): void {
  const { path, entry, content } = itemOf(leaf);
  const holeBytes = (entry.holes ?? []).reduce((sum, { length }) => sum + length, 0);
  if (entry.type === 'file' && entry.hardLinkTo === undefined) {
    if (lengthOf(content) + holeBytes !== entry.size) {
      throw new CofreError('damaged', { what: 'An entry', problem: 'its content does not fit its size' });
    }
  }
  for (const one of [content, ...leaf.namedStreams.map((stream) => stream.content)]) {
    if (one.kind === 'slices') visitor.onContent(path, one.slices);
    else below.push({ kind: 'list', chunkId: one.list.chunkId, path, list: one.list });
  }
}

function visitList(
  opened: OpenedNode,
  { path, list }: Extract<Pending, { kind: 'list' }>,
  visitor: CatalogVisitor,
  below: Pending[],
): void {
  const { level, slices } = decodeList(opened.table, opened.plaintext);
  const isEmptyOne = slices.some(({ length }) => length < 1);
  if (isEmptyOne || level !== list.level || lengthOf({ kind: 'slices', slices }) !== list.length) {
    throw new CofreError('damaged', { what: 'A list of content', problem: 'it is not what was promised' });
  }
  if (level === 0) visitor.onContent(path, slices);
  else {
    for (const { chunkId, length } of slices) {
      below.push({ kind: 'list', chunkId, path, list: { level: level - 1, length } });
    }
  }
}

function lengthOf(content: ContentReference): number {
  if (content.kind === 'list') return content.list.length;
  return content.slices.reduce((sum, { length }) => sum + length, 0);
}

function problemOf(error: unknown, pending: Pending): CatalogProblem {
  if (!isDamage(error)) throw error;
  const path = pending.kind === 'list' ? pending.path : pathOrNone(pending.place.firstKey);
  return { path, code: codeOf(error), nodeId: pending.chunkId, detail: error.message };
}

function codeOf({ code }: CofreError): CatalogProblemCode {
  if (code === 'unknown_format') return 'catalog_unknown_format';
  return code === 'chunk_missing' ? 'catalog_missing' : 'catalog_damaged';
}

function pathOrNone(key: CatalogKey | null): ByteString {
  try {
    return pathOfKey(key ?? ('' as CatalogKey));
  } catch {
    return '' as ByteString;
  }
}

function isDamage(error: unknown): error is CofreError {
  if (!(error instanceof CofreError)) return false;
  return ['damaged', 'chunk_missing', 'unknown_format', 'untrusted', 'wrong_key', 'not_found'].includes(
    error.code,
  );
}
