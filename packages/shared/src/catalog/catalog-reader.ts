import { CofreError } from '../errors.ts';
import type { Entry, Slice } from '../format/entry.ts';
import type { ChunkId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import type { ByteString } from '../bytes.ts';
import { catalogKey, childrenPrefix, pathOfKey, subtreePrefix, type CatalogKey } from './catalog-key.ts';
import { decodeEntryMetadata } from './entry-codec.ts';
import { isNodeLoss, type OnLost } from './lost-range.ts';
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

/**
 * Reads a catalog: a folder, a subtree, one path, or everything, always as a range of keys. Without its root there
 * is none; what lies below any other node that is lost is told to whoever asked for that, or ends the reading.
 */
export class CatalogReader {
  readonly root: ChunkId;
  private readonly fetch: FetchNodes;
  private readonly onLost: OnLost | null;

  /**
   * @param onLost called, instead of throwing, whenever reading comes to what is lost: where that stands in the
   *   order of what is read, and again when it is read again
   */
  constructor(root: ChunkId, fetch: FetchNodes, onLost: OnLost | null = null) {
    this.root = root;
    this.fetch = fetch;
    this.onLost = onLost;
  }

  /** Everything, in catalog order. */
  all(): AsyncGenerator<CatalogItem> {
    return this.range(...EVERYTHING);
  }

  /** What lies directly in a folder. */
  children(folder: ByteString): AsyncGenerator<CatalogItem> {
    return this.prefixed(childrenPrefix(folder));
  }

  /** What lies in a folder at whatever depth, without the folder itself. */
  subtree(folder: ByteString): AsyncGenerator<CatalogItem> {
    return this.prefixed(subtreePrefix(folder));
  }

  /** One path, or null where the snapshot has none, or has lost it. */
  async find(path: ByteString): Promise<CatalogItem | null> {
    const key = catalogKey(path);
    for await (const item of this.range(key, `${key}\0` as CatalogKey)) if (item.key === key) return item;
    return null;
  }

  /** All keys from `from` up to but without `to` (null: to the end). */
  async *range(from: CatalogKey, to: CatalogKey | null): AsyncGenerator<CatalogItem> {
    for await (const items of this.scan([rootPlace(this.root)], from, to)) yield* items;
  }

  /**
   * What lies in a folder at whatever depth, or everything with the root of the file system itself, in catalog
   * order, some hundred entries at a time: for who goes through very many.
   */
  batches(folder?: ByteString): AsyncGenerator<readonly CatalogItem[]> {
    const [from, to] = folder === undefined ? EVERYTHING : boundsOf(subtreePrefix(folder));
    return this.scan([rootPlace(this.root)], from, to);
  }

  /** The slices of some content, with list nodes followed. Each has a length of at least 1. */
  async *slices(content: ContentReference): AsyncGenerator<Slice> {
    if (content.kind === 'slices') {
      content.slices.forEach(checkLength);
      yield* content.slices;
    } else {
      const { chunkId, length, level } = content.list;
      yield* this.listSlices([{ chunkId, offset: 0, length }], level);
    }
  }

  /**
   * The node at a place, which is checked to belong there: keys ascend over the whole catalog, so that nodes
   * which repeat others without end are refused at the first repetition.
   */
  async node(place: NodePlace): Promise<CatalogNode> {
    const [opened] = await this.fetch([place.chunkId]);
    if (opened === undefined) throw new CofreError('chunk_missing', { count: 1, what: 'a catalog' });
    return decodeNodeAt(opened, place);
  }

  /** Like {@link node}; null, and told, when it is lost. */
  async nodeOrLoss(place: NodePlace): Promise<CatalogNode | null> {
    try {
      return await this.node(place);
    } catch (error) {
      this.lose(place, error);
      return null;
    }
  }

  /** For whoever wants to know that before anything else is done. @throws CofreError when the root is lost */
  async checkRoot(): Promise<void> {
    await this.node(rootPlace(this.root));
  }

  private prefixed(prefix: CatalogKey): AsyncGenerator<CatalogItem> {
    const [from, to] = boundsOf(prefix);
    return this.range(from, to);
  }

  private async *scan(
    places: readonly NodePlace[],
    from: CatalogKey,
    to: CatalogKey | null,
  ): AsyncGenerator<readonly CatalogItem[]> {
    let position = 0;
    for await (const opened of this.fetchAhead(places.map(({ chunkId }) => chunkId))) {
      const place = places[position++] as NodePlace;
      let items: readonly CatalogItem[] = [];
      let below: readonly NodePlace[] = [];
      try {
        const node = decodeNodeAt(notLost(opened), place);
        if (node.kind === 'inner') below = placesWithin(node.items, place, from, to);
        else items = node.items.filter(({ key }) => isWithin(key, from, to)).map(itemOf);
      } catch (error) {
        this.lose(place, error);
      }
      if (items.length > 0) yield items;
      if (below.length > 0) yield* this.scan(below, from, to);
    }
  }

  /** Tells that a node is lost. @throws what is wrong, where nobody wants to be told or nothing can go on */
  private lose({ chunkId, firstKey, before, entryCount }: NodePlace, error: unknown): void {
    if (this.onLost === null || firstKey === null || !isNodeLoss(error)) throw error;
    this.onLost({ nodeId: chunkId, from: firstKey, before, entryCount, error });
  }

  private async *listSlices(lists: readonly Slice[], level: number): AsyncGenerator<Slice> {
    let position = 0;
    for await (const opened of this.fetchAhead(lists.map(({ chunkId }) => chunkId))) {
      const { table, plaintext } = notLost(opened);
      const node = decodeList(table, plaintext);
      if (node.level !== level) refuseList('wrong level');
      let length = 0;
      for (const slice of node.slices) {
        checkLength(slice);
        length += slice.length;
      }
      if (length !== lists[position++]?.length) refuseList('wrong length');
      if (level === 0) yield* node.slices;
      else yield* this.listSlices(node.slices, level - 1);
    }
  }

  /** Nodes one by one, or what is wrong with one; while some are used, the next ones are fetched. */
  private async *fetchAhead(ids: readonly ChunkId[]): AsyncGenerator<OpenedNode | CofreError> {
    let ahead = this.fetchPart(ids, 0);
    for (let start = 0; start < ids.length; start += PREFETCH_NODES) {
      const batch = await ahead;
      ahead = this.fetchPart(ids, start + PREFETCH_NODES);
      // Whoever stops reading never learns of a failure of what was only fetched ahead.
      ahead.catch(() => {});
      yield* batch;
    }
  }

  private async fetchPart(
    ids: readonly ChunkId[],
    start: number,
  ): Promise<readonly (OpenedNode | CofreError)[]> {
    return start < ids.length ? await this.fetchEach(ids.slice(start, start + PREFETCH_NODES)) : [];
  }

  /** All at once, or one by one when one of them is lost. */
  private async fetchEach(ids: readonly ChunkId[]): Promise<readonly (OpenedNode | CofreError)[]> {
    try {
      return await this.fetch(ids);
    } catch (error) {
      if (!isNodeLoss(error)) throw error;
      if (ids.length === 1) return [error];
      const each: (OpenedNode | CofreError)[] = [];
      for (const id of ids) each.push(...(await this.fetchEach([id])));
      return each;
    }
  }
}

type KeyBounds = readonly [from: CatalogKey, to: CatalogKey | null];

const EVERYTHING: KeyBounds = ['' as CatalogKey, null];

/** The bounds of all keys that begin with `prefix`. */
function boundsOf(prefix: CatalogKey): KeyBounds {
  if (prefix === '') return ['\0' as CatalogKey, null];
  // 0xff + 1 does not exist in a byte string, so the end is the prefix with its last byte (0x00) raised.
  return [prefix, `${prefix.slice(0, -1)}\x01` as CatalogKey];
}

/** Where a node stands in its catalog, and what it can therefore hold. */
export interface NodePlace {
  readonly chunkId: ChunkId;
  /** Its first key; null for the root, which may be empty. */
  readonly firstKey: CatalogKey | null;
  /** All its keys lie before this one; null for the last. */
  readonly before: CatalogKey | null;
  readonly depth: number;
  /** Entries in it and below it, as the node above says; 0 for the root, of which none does. */
  readonly entryCount: number;
}

/** The place of a catalog's root: it may hold any keys, or none. */
export function rootPlace(root: ChunkId): NodePlace {
  return { chunkId: root, firstKey: null, before: null, depth: 0, entryCount: 0 };
}

/** The places of all children of an inner node that stands at `place`. */
export function placesBelow(items: readonly InnerItem[], place: NodePlace): NodePlace[] {
  const depth = place.depth + 1;
  return items.map(({ chunkId, firstKey, entryCount }, index) => {
    return { chunkId, firstKey, before: items[index + 1]?.firstKey ?? place.before, depth, entryCount };
  });
}

/** Those children that can hold keys of the range. */
function placesWithin(
  items: readonly InnerItem[],
  place: NodePlace,
  from: CatalogKey,
  to: CatalogKey | null,
): NodePlace[] {
  return placesBelow(items, place).filter(({ firstKey, before }) => {
    const endsBefore = before !== null && before <= from;
    const startsAfter = to !== null && firstKey !== null && firstKey >= to;
    return !endsBefore && !startsAfter;
  });
}

/**
 * Decodes a node, and checks that it belongs where it stands.
 * @throws CofreError `damaged`
 */
export function decodeNodeAt(opened: OpenedNode, { firstKey, before, depth }: NodePlace): CatalogNode {
  if (depth > LIMITS.catalogDepthMax) refuse('too deep');
  const node = decodeCatalogNode(opened.table, opened.plaintext);
  const keys =
    node.kind === 'leaf' ? node.items.map(({ key }) => key) : node.items.map((item) => item.firstKey);
  const [first, last] = [keys[0], keys.at(-1)];
  if (first === undefined || last === undefined) {
    if (firstKey !== null || node.kind === 'inner') refuse('an empty node');
  } else if ((firstKey !== null && first !== firstKey) || (before !== null && last >= before)) {
    refuse('a node does not belong where it stands');
  }
  return node;
}

/** @throws CofreError `damaged` for a path that no system has */
export function itemOf(leaf: LeafItem): CatalogItem {
  const entry = decodeEntryMetadata(leaf.metadata);
  return { path: pathOfKey(leaf.key), key: leaf.key, entry, content: leaf.content, leaf };
}

function isWithin(key: CatalogKey, from: CatalogKey, to: CatalogKey | null): boolean {
  return key >= from && (to === null || key < to);
}

function notLost(opened: OpenedNode | CofreError): OpenedNode {
  if (opened instanceof CofreError) throw opened;
  return opened;
}

function checkLength({ length }: Slice): void {
  if (length < 1) refuseList('an empty piece');
}

function refuse(problem: string): never {
  throw new CofreError('damaged', { what: 'A catalog', problem });
}

function refuseList(problem: string): never {
  throw new CofreError('damaged', { what: 'A list of content', problem });
}
