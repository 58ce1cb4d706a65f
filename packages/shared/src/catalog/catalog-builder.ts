import { CofreError } from '../errors.ts';
import type { NamedStream, Slice } from '../format/entry.ts';
import type { ChunkId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import type { CatalogKey } from './catalog-key.ts';
import { referenceContent, type EmitNode } from './content-list.ts';
import { HalfSipHash } from './half-sip-hash.ts';
import { encodeInner, encodeLeaf, type ContentReference, type InnerItem, type LeafItem } from './node.ts';

/** An entry on its way into a catalog. */
export interface CatalogEntry {
  readonly key: CatalogKey;
  /** `encodeEntryMetadata` */
  readonly metadata: Buffer;
  readonly content: readonly Slice[];
  readonly namedStreams?: readonly NamedStream[];
}

/**
 * Builds the tree of a catalog from entries in ascending order of their keys, one leaf in memory at a time.
 *
 * A node is cut behind an entry when it has `catalogNodeBytesMin` bytes and a keyed hash of the entry's key
 * falls below a threshold in proportion to the entry's size, or when it would grow past the maximum. So the
 * tree depends on the entries alone, and a change rewrites the nodes that it touches and their parents.
 */
export class CatalogBuilder {
  private readonly emit: EmitNode;
  private readonly cutHash: HalfSipHash;
  private readonly leaf: LeafItem[] = [];
  private leafBytes = 0;
  private leafSlices = 0;
  private lastKey: CatalogKey | null = null;
  /** `levels[0]` collects leaves, each further level the nodes below it. */
  private readonly levels: OpenInner[] = [];

  /** @param cutKey 8 bytes (`DomainKeys.catalogCutKey`), or the hash that has it */
  constructor(cutKey: Uint8Array | HalfSipHash, emit: EmitNode) {
    this.emit = emit;
    this.cutHash = cutKey instanceof HalfSipHash ? cutKey : new HalfSipHash(cutKey);
  }

  /** @throws RangeError when keys do not ascend, or for an entry that readers would refuse for its size */
  add(entry: CatalogEntry): void {
    if (this.lastKey !== null && entry.key <= this.lastKey) throw new RangeError('catalog keys must ascend');
    requireReadable(entry);
    this.lastKey = entry.key;
    const item = this.itemFor(entry);
    const { sliceCount, entryBytes } = sizeOf(item);
    const isOverfull =
      this.leafBytes + entryBytes > LIMITS.catalogNodeBytesMax ||
      this.leafSlices + sliceCount > LIMITS.nodeTableIdsMax / 2;
    if (isOverfull && this.leaf.length > 0) this.closeLeaf();
    this.leaf.push(item);
    this.leafBytes += entryBytes;
    this.leafSlices += sliceCount;
    if (this.isCut(this.leafBytes, entryBytes, entry.key)) this.closeLeaf();
  }

  /** Closes all levels; gives the id of the root. An empty catalog has an empty leaf as its root. */
  finish(): ChunkId {
    if (this.leaf.length > 0 || this.levels.length === 0) this.closeLeaf();
    for (let depth = 0; depth < this.levels.length; depth++) {
      const level = this.levels[depth] as OpenInner;
      const [only] = level.items;
      const isTop = depth === this.levels.length - 1;
      if (isTop && only !== undefined && level.items.length === 1) return only.chunkId;
      if (level.items.length > 0) this.closeInner(depth);
    }
    throw new CofreError('internal', { problem: 'a catalog has no root' });
  }

  /** The root of a catalog of what was added so far, whose last nodes go to `emit`; this builder goes on. */
  rootSoFar(emit: EmitNode): ChunkId {
    const copy = new CatalogBuilder(this.cutHash, emit);
    copy.leaf.push(...this.leaf);
    copy.levels.push(...this.levels.map(({ items, bytes }) => ({ items: [...items], bytes })));
    return copy.finish();
  }

  private itemFor({ key, metadata, content, namedStreams = [] }: CatalogEntry): LeafItem {
    return {
      key,
      metadata,
      content: referenceContent(content, this.emit),
      namedStreams: namedStreams.map((stream) => ({
        name: stream.name,
        size: stream.size,
        content: referenceContent(stream.content, this.emit, LIMITS.streamInlineSlicesMax),
      })),
    };
  }

  private closeLeaf(): void {
    const chunkId = this.emit('catalog', encodeLeaf(this.leaf));
    const firstKey = this.leaf[0]?.key ?? ('' as CatalogKey);
    const item = { firstKey, chunkId, entryCount: this.leaf.length };
    this.leaf.length = 0;
    this.leafBytes = 0;
    this.leafSlices = 0;
    this.addInner(0, item);
  }

  private addInner(depth: number, item: InnerItem): void {
    if (depth >= LIMITS.catalogDepthMax)
      throw new CofreError('internal', { problem: 'a catalog is too deep' });
    const level = (this.levels[depth] ??= { items: [], bytes: 0 });
    const itemBytes = item.firstKey.length + 40;
    if (level.items.length > 1 && level.bytes + itemBytes > LIMITS.catalogNodeBytesMax)
      this.closeInner(depth);
    level.items.push(item);
    level.bytes += itemBytes;
    if (level.items.length > 1 && this.isCut(level.bytes, itemBytes, item.firstKey)) this.closeInner(depth);
  }

  private closeInner(depth: number): void {
    const level = this.levels[depth] as OpenInner;
    const first = level.items[0] as InnerItem;
    let entryCount = 0;
    for (const item of level.items) entryCount += item.entryCount;
    const chunkId = this.emit('catalog', encodeInner(level.items));
    level.items.length = 0;
    level.bytes = 0;
    this.addInner(depth + 1, { firstKey: first.firstKey, chunkId, entryCount });
  }

  private isCut(nodeBytes: number, entryBytes: number, key: CatalogKey): boolean {
    const { catalogNodeBytesMin, catalogNodeBytesAverage } = LIMITS;
    if (nodeBytes < catalogNodeBytesMin) return false;
    const share = entryBytes / (catalogNodeBytesAverage - catalogNodeBytesMin);
    return this.cutHash.hash(key) < share * 2 ** 32;
  }
}

function requireReadable({ key, metadata, namedStreams = [] }: CatalogEntry): void {
  const isReadable =
    key.length <= LIMITS.pathBytesMax &&
    metadata.length <= LIMITS.entryBytesMax &&
    namedStreams.length <= LIMITS.namedStreamsMax;
  if (!isReadable) throw new RangeError('an entry is larger than a catalog takes');
}

/** What an item adds to its leaf: about so many bytes, and at most so many ids. */
function sizeOf({ key, metadata, content, namedStreams }: LeafItem) {
  let sliceCount = countOf(content);
  let entryBytes = key.length + metadata.length + 8;
  for (const stream of namedStreams) {
    sliceCount += countOf(stream.content);
    entryBytes += stream.name.length + 8;
  }
  return { sliceCount, entryBytes: entryBytes + sliceCount * 6 };
}

function countOf(content: ContentReference): number {
  return content.kind === 'slices' ? content.slices.length : 1;
}

interface OpenInner {
  readonly items: InnerItem[];
  bytes: number;
}
