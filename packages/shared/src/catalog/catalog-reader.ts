import { CofreError } from '../errors.ts';
import type { Entry, NamedStream, Slice } from '../format/entry.ts';
import type { ChunkId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import type { ByteString } from '../bytes.ts';
import { catalogKey, childrenPrefix, pathOfKey, subtreePrefix, type CatalogKey } from './catalog-key.ts';
import { decodeEntryMetadata } from './entry-codec.ts';
import {
  decodeCatalogNode,
  decodeList,
  type CatalogNode,
  type ContentReference,
  type InnerItem,
  type LeafItem,
} from './node.ts';

/** A node as it came out of its blob: checked against its id already. */
export interface OpenedNode {
  readonly table: readonly ChunkId[];
  readonly plaintext: Buffer;
}

/**
 * Brings nodes. It gets several ids at once where the reader knows what comes next, and answers in the same
 * order; it throws `chunk_missing` or `damaged` when one can't be had.
 */
export type FetchNodes = (ids: readonly ChunkId[]) => Promise<readonly OpenedNode[]>;

/** An entry with its path and its (not yet resolved) content. */
export interface CatalogItem {
  readonly path: ByteString;
  readonly key: CatalogKey;
  readonly entry: Entry;
  readonly content: ContentReference;
  readonly leaf: LeafItem;
}

/** Nodes that one request asks for ahead of the scan. */
const PREFETCH_NODES = 16;

/** Reads a catalog: a folder, a subtree, one path, or everything, always as a range of keys. */
export class CatalogReader {
  readonly root: ChunkId;
  private readonly fetch: FetchNodes;

  constructor(root: ChunkId, fetch: FetchNodes) {
    this.root = root;
    this.fetch = fetch;
  }

  /** Everything, in catalog order. */
  all(): AsyncGenerator<CatalogItem> {
    return this.range('' as CatalogKey, null);
  }

  /** What lies directly in a folder. */
  children(folder: ByteString): AsyncGenerator<CatalogItem> {
    return this.prefixed(childrenPrefix(folder));
  }

  /** What lies in a folder at whatever depth, without the folder itself. */
  subtree(folder: ByteString): AsyncGenerator<CatalogItem> {
    return this.prefixed(subtreePrefix(folder));
  }

  /** One path, or null where the snapshot has none. */
  async find(path: ByteString): Promise<CatalogItem | null> {
    const key = catalogKey(path);
    for await (const item of this.range(key, `${key}\0` as CatalogKey)) if (item.key === key) return item;
    return null;
  }

  /** All keys from `from` up to but without `to` (null: to the end). */
  async *range(from: CatalogKey, to: CatalogKey | null): AsyncGenerator<CatalogItem> {
    yield* this.scan([this.root], from, to, 0);
  }

  /** The slices of some content, with list nodes followed. */
  async *slices(content: ContentReference): AsyncGenerator<Slice> {
    if (content.kind === 'slices') yield* content.slices;
    else yield* this.listSlices([content.list.chunkId], content.list.level);
  }

  /** The node behind an id. */
  async node(id: ChunkId): Promise<CatalogNode> {
    const [opened] = await this.fetch([id]);
    if (opened === undefined) throw new CofreError('chunk_missing', { count: 1, what: 'a catalog' });
    return decodeCatalogNode(opened.table, opened.plaintext);
  }

  private prefixed(prefix: CatalogKey): AsyncGenerator<CatalogItem> {
    if (prefix === '') return this.range('\0' as CatalogKey, null);
    // 0xff + 1 does not exist in a byte string, so the end is the prefix with its last byte (0x00) raised.
    return this.range(prefix, `${prefix.slice(0, -1)}\x01` as CatalogKey);
  }

  private async *scan(
    ids: readonly ChunkId[],
    from: CatalogKey,
    to: CatalogKey | null,
    depth: number,
  ): AsyncGenerator<CatalogItem> {
    if (depth > LIMITS.catalogDepthMax)
      throw new CofreError('damaged', { what: 'A catalog', problem: 'too deep' });
    for (let start = 0; start < ids.length; start += PREFETCH_NODES) {
      for (const opened of await this.fetch(ids.slice(start, start + PREFETCH_NODES))) {
        const node = decodeCatalogNode(opened.table, opened.plaintext);
        if (node.kind === 'leaf') {
          yield* itemsWithin(node.items, from, to);
        } else {
          yield* this.scan(childrenWithin(node.items, from, to), from, to, depth + 1);
        }
      }
    }
  }

  private async *listSlices(ids: readonly ChunkId[], level: number): AsyncGenerator<Slice> {
    for (let start = 0; start < ids.length; start += PREFETCH_NODES) {
      for (const opened of await this.fetch(ids.slice(start, start + PREFETCH_NODES))) {
        const node = decodeList(opened.table, opened.plaintext);
        if (node.level !== level) throw new CofreError('damaged', { what: 'A list', problem: 'wrong level' });
        if (level === 0) yield* node.slices;
        else
          yield* this.listSlices(
            node.slices.map((slice) => slice.chunkId),
            level - 1,
          );
      }
    }
  }
}

function* itemsWithin(
  items: readonly LeafItem[],
  from: CatalogKey,
  to: CatalogKey | null,
): Generator<CatalogItem> {
  for (const leaf of items) if (isWithin(leaf.key, from, to)) yield itemOf(leaf);
}

/** The children of an inner node that can hold keys of the range. */
export function childrenWithin(
  items: readonly InnerItem[],
  from: CatalogKey,
  to: CatalogKey | null,
): ChunkId[] {
  const ids: ChunkId[] = [];
  for (const [index, item] of items.entries()) {
    const next = items[index + 1];
    const endsBefore = next !== undefined && next.firstKey <= from;
    const startsAfter = to !== null && item.firstKey >= to;
    if (!endsBefore && !startsAfter) ids.push(item.chunkId);
  }
  return ids;
}

/** @throws CofreError `damaged` for a path that no system has */
export function itemOf(leaf: LeafItem): CatalogItem {
  const entry = decodeEntryMetadata(leaf.metadata);
  return { path: pathOfKey(leaf.key), key: leaf.key, entry, content: leaf.content, leaf };
}

/** Named streams keep their references; content is resolved by `CatalogReader.slices`. */
export type StreamReference = Omit<NamedStream, 'content'> & { readonly content: ContentReference };

function isWithin(key: CatalogKey, from: CatalogKey, to: CatalogKey | null): boolean {
  return key >= from && (to === null || key < to);
}
