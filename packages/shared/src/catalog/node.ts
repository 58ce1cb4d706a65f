import type { ByteReader } from '../encoding/byte-reader.ts';
import { ByteReader as Reader } from '../encoding/byte-reader.ts';
import { ByteWriter } from '../encoding/byte-writer.ts';
import { CHUNK_ID_BYTES, type ChunkId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import type { NamedStream, Slice } from '../format/entry.ts';
import type { ByteString } from '../bytes.ts';
import type { CatalogKey } from './catalog-key.ts';

/**
 * Nodes of a catalog: the plaintext of blobs of type `catalog` and `list`. They name chunks by their place
 * in the blob's table, which the server can read without keys in order to see what a snapshot needs.
 *
 *     leaf   1 u8 ‖ count ‖ count × (shared ‖ suffix ‖ metadata ‖ references)
 *     inner  2 u8 ‖ count ‖ count × (shared ‖ suffix of the first key below ‖ place ‖ entries below)
 *     list   3 u8 ‖ level ‖ count ‖ count × (place ‖ offset ‖ length)
 *
 * All numbers are variable integers. A key is written as how many bytes it shares with the key before (as many
 * as there are), and the rest behind its length. A list of level 0 has slices of chunks; above, lists with
 * offset 0 and the length of what they hold. The table holds each id that a node names, in the order in which
 * they are first named, and no other: a node can be written in one way only, and readers insist on it.
 */
export interface LeafItem {
  readonly key: CatalogKey;
  /** `encodeEntryMetadata` */
  readonly metadata: Buffer;
  readonly content: ContentReference;
  readonly namedStreams: readonly NamedStreamReference[];
}

/** Where content is: its slices, or the list node that holds them. */
export type ContentReference =
  | { readonly kind: 'slices'; readonly slices: readonly Slice[] }
  | { readonly kind: 'list'; readonly list: ListReference };

export interface ListReference {
  readonly chunkId: ChunkId;
  readonly level: number;
  /** Bytes of content below. */
  readonly length: number;
}

export interface NamedStreamReference extends Omit<NamedStream, 'content'> {
  readonly content: ContentReference;
}

export interface InnerItem {
  readonly firstKey: CatalogKey;
  readonly chunkId: ChunkId;
  readonly entryCount: number;
}

export type CatalogNode =
  | { readonly kind: 'leaf'; readonly items: readonly LeafItem[] }
  | { readonly kind: 'inner'; readonly items: readonly InnerItem[] };

export interface ListNode {
  readonly level: number;
  readonly slices: readonly Slice[];
}

export interface EncodedNode {
  /** Ids of 32 bytes. */
  readonly table: Buffer;
  readonly plaintext: Buffer;
}

const LEAF = 1;
const INNER = 2;
const LIST = 3;
const REFERENCE_SLICES = 0;
const REFERENCE_LIST = 1;
const NO_CONTENT: ContentReference = { kind: 'slices', slices: [] };
const WHAT = 'A node of a catalog';

/** A leaf. Its keys have to ascend; nobody checks that here. */
export function encodeLeaf(items: readonly LeafItem[]): EncodedNode {
  const table = new TableWriter();
  const writer = new ByteWriter(32 * 1024);
  writer.u8(LEAF).varint(items.length);
  let previous = '';
  for (const item of items) {
    writeKey(writer, previous, item.key);
    previous = item.key;
    writer.sized(item.metadata);
    writeReference(writer, table, item.content);
    writer.varint(item.namedStreams.length);
    for (const stream of item.namedStreams) {
      writer.sizedLatin1(stream.name).varint(stream.size);
      writeReference(writer, table, stream.content);
    }
  }
  return { table: table.take(), plaintext: writer.take() };
}

/** An inner node. Its keys have to ascend; nobody checks that here. */
export function encodeInner(items: readonly InnerItem[]): EncodedNode {
  const table = new TableWriter();
  const writer = new ByteWriter(16 * 1024);
  writer.u8(INNER).varint(items.length);
  let previous = '';
  for (const item of items) {
    writeKey(writer, previous, item.firstKey);
    previous = item.firstKey;
    writer.varint(table.placeOf(item.chunkId)).varint(item.entryCount);
  }
  return { table: table.take(), plaintext: writer.take() };
}

/** A list of slices, or of lists when its level is above 0. */
export function encodeList(node: ListNode): EncodedNode {
  const table = new TableWriter();
  const writer = new ByteWriter(8 * 1024);
  writer.u8(LIST).varint(node.level);
  writeSlices(writer, table, node.slices);
  return { table: table.take(), plaintext: writer.take() };
}

/** @throws CofreError `damaged` */
export function decodeCatalogNode(table: readonly ChunkId[], plaintext: Buffer): CatalogNode {
  const reader = new Reader(plaintext, WHAT);
  const ids = new TableReader(table, reader);
  const kind = reader.u8();
  if (kind !== LEAF && kind !== INNER) reader.refuse(`its kind is ${kind}`);
  const count = boundedCount(reader, reader.remaining);
  if (kind === INNER && count === 0) reader.refuse('an inner node without children');
  const items: (LeafItem | InnerItem)[] = [];
  let previous = '' as CatalogKey;
  for (let index = 0; index < count; index++) {
    const key = readKey(reader, previous, index === 0);
    previous = key;
    items.push(kind === LEAF ? readLeafItem(reader, ids, key) : readInnerItem(reader, ids, key));
  }
  reader.expectEnd();
  ids.expectAllNamed();
  return { kind: kind === LEAF ? 'leaf' : 'inner', items } as CatalogNode;
}

/** @throws CofreError `damaged` */
export function decodeList(table: readonly ChunkId[], plaintext: Buffer): ListNode {
  const reader = new Reader(plaintext, WHAT);
  const ids = new TableReader(table, reader);
  if (reader.u8() !== LIST) reader.refuse('it is not a list');
  const level = readLevel(reader);
  const slices = readSlices(reader, ids, LIMITS.listNodeSlicesMax, level);
  if (slices.length === 0) reader.refuse('a list of nothing');
  reader.expectEnd();
  ids.expectAllNamed();
  return { level, slices };
}

function readLeafItem(reader: ByteReader, ids: TableReader, key: CatalogKey): LeafItem {
  const metadata = reader.sized(LIMITS.entryBytesMax);
  const content = readReference(reader, ids);
  const streamCount = boundedCount(reader, LIMITS.namedStreamsMax);
  const namedStreams: NamedStreamReference[] = [];
  for (let index = 0; index < streamCount; index++) {
    const name: ByteString = reader.sizedLatin1(LIMITS.pathComponentBytesMax);
    namedStreams.push({ name, size: reader.varint(), content: readReference(reader, ids) });
  }
  return { key, metadata, content, namedStreams };
}

function readInnerItem(reader: ByteReader, ids: TableReader, firstKey: CatalogKey): InnerItem {
  return { firstKey, chunkId: ids.next(), entryCount: reader.varint() };
}

function writeReference(writer: ByteWriter, table: TableWriter, reference: ContentReference): void {
  if (reference.kind === 'slices') {
    writer.varint(REFERENCE_SLICES);
    writeSlices(writer, table, reference.slices);
  } else {
    const { chunkId, level, length } = reference.list;
    writer.varint(REFERENCE_LIST).varint(table.placeOf(chunkId)).varint(level).varint(length);
  }
}

function readReference(reader: ByteReader, ids: TableReader): ContentReference {
  const kind = reader.varint();
  if (kind === REFERENCE_LIST) {
    const list = { chunkId: ids.next(), level: readLevel(reader), length: reader.varint() };
    return { kind: 'list', list };
  }
  if (kind !== REFERENCE_SLICES) reader.refuse('a reference is of an unknown kind');
  const slices = readSlices(reader, ids, LIMITS.inlineSlicesMax, 0);
  return slices.length === 0 ? NO_CONTENT : { kind: 'slices', slices };
}

function writeSlices(writer: ByteWriter, table: TableWriter, slices: readonly Slice[]): void {
  writer.varint(slices.length);
  for (const { chunkId, offset, length } of slices) {
    writer.varint(table.placeOf(chunkId)).varint(offset).varint(length);
  }
}

function readSlices(reader: ByteReader, ids: TableReader, countMax: number, level: number): Slice[] {
  const count = boundedCount(reader, countMax);
  const slices: Slice[] = [];
  for (let index = 0; index < count; index++) {
    const slice = { chunkId: ids.next(), offset: reader.varint(), length: reader.varint() };
    checkSlice(reader, slice, level);
    slices.push(slice);
  }
  return slices;
}

function checkSlice(reader: ByteReader, { offset, length }: Slice, level: number): void {
  if (length === 0) reader.refuse('an empty piece');
  const isWithin = level === 0 ? offset + length <= LIMITS.blobPlaintextBytesMax : offset === 0;
  if (!isWithin) reader.refuse('a piece lies outside its chunk');
}

function readLevel(reader: ByteReader): number {
  const level = reader.varint();
  if (level >= LIMITS.listDepthMax) reader.refuse('its lists are too deep');
  return level;
}

function writeKey(writer: ByteWriter, previous: string, key: string): void {
  const lengthMax = Math.min(previous.length, key.length);
  let shared = 0;
  while (shared < lengthMax && previous.charCodeAt(shared) === key.charCodeAt(shared)) shared += 1;
  writer
    .varint(shared)
    .varint(key.length - shared)
    .latin1(key.slice(shared));
}

function readKey(reader: ByteReader, previous: CatalogKey, isFirst: boolean): CatalogKey {
  const shared = reader.varint();
  if (shared > previous.length) reader.refuse('a key shares more than there is');
  const suffix = reader.sizedLatin1(LIMITS.pathBytesMax);
  if (shared + suffix.length > LIMITS.pathBytesMax) reader.refuse('a key is too long');
  const key = (previous.slice(0, shared) + suffix) as CatalogKey;
  if (!isFirst && key <= previous) reader.refuse('its keys are not in order');
  if (shared < previous.length && suffix[0] === previous[shared])
    reader.refuse('a key shares more than it says');
  return key;
}

/** A count can't be larger than the bytes that are left either: nothing is allocated for a lie. */
function boundedCount(reader: ByteReader, countMax: number): number {
  const count = reader.varint();
  if (count > Math.min(countMax, reader.remaining)) reader.refuse(`a count of ${count}`);
  return count;
}

/** Finds the ids that a node names, and sees to it that its table is as the writer makes it. */
class TableReader {
  private readonly table: readonly ChunkId[];
  private readonly reader: ByteReader;
  private named = 0;

  constructor(table: readonly ChunkId[], reader: ByteReader) {
    this.table = table;
    this.reader = reader;
  }

  /** The id whose place is read next. */
  next(): ChunkId {
    const place = this.reader.varint();
    const id = this.table[place];
    if (id === undefined) return this.reader.refuse('it refers to a place outside its table');
    if (place > this.named) this.reader.refuse('its table is not in the order of what it names');
    if (place === this.named) this.named += 1;
    return id;
  }

  expectAllNamed(): void {
    if (this.named !== this.table.length) this.reader.refuse('its table holds what it does not name');
  }
}

/** Gives each id of a node its place in the table, in the order in which they are first met. */
class TableWriter {
  private readonly places = new Map<ChunkId, number>();

  placeOf(chunkId: ChunkId): number {
    const known = this.places.get(chunkId);
    if (known !== undefined) return known;
    this.places.set(chunkId, this.places.size);
    return this.places.size - 1;
  }

  take(): Buffer {
    const table = Buffer.allocUnsafe(this.places.size * CHUNK_ID_BYTES);
    let offset = 0;
    for (const chunkId of this.places.keys()) {
      table.write(chunkId, offset, 'hex');
      offset += CHUNK_ID_BYTES;
    }
    return table;
  }
}
