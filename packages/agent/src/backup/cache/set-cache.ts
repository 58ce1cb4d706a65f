import fs from 'node:fs';
import path from 'node:path';
import { ByteReader } from '@cofre/shared/encoding/byte-reader';
import type { CatalogKey } from '@cofre/shared/catalog/catalog-key';
import type { Slice } from '@cofre/shared/format/entry';
import { CHUNK_ID_BYTES, type ChunkId, type SetId, type SnapshotId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { FINGERPRINT_BYTES } from '../fingerprint.ts';
import { BlockReader, BlockWriter } from './record-blocks.ts';

/** What the last run of a set knew of one path, in catalog order. */
export interface CachedEntry {
  readonly key: CatalogKey;
  readonly fingerprint: Buffer;
  /** `encodeEntryMetadata` */
  readonly metadata: Buffer;
  /** Catalog path of the first name of a hard-linked object, '' where there is none. */
  readonly hardLinkTo: string;
  readonly slices: readonly Slice[];
}

/** What belongs to the snapshot as a whole. */
export interface CachedHead {
  readonly snapshotId: SnapshotId;
  /** Ascending ids of 32 bytes. */
  readonly refset: Buffer;
  /** `RefsetHash.state()` */
  readonly refsetState: Buffer;
}

const HEAD_MAGIC = 'CofreCa1';
const FOOTER_BYTES = 16;
/** The refset is kept in blocks of this many ids. */
const REFSET_BLOCK_IDS = 32_768;

/** Where the cache of a set lies. */
export function setCachePath(cacheFolder: string, setId: SetId): string {
  return path.join(cacheFolder, `${setId}.run`);
}

/**
 * Writes what the next run of a set will compare with: the entries in order, then the head. It becomes
 * visible under its name when it is complete; before that, and if it is lost, the next run reads the source
 * once more.
 */
export class SetCacheWriter {
  private readonly finalPath: string;
  private readonly temporaryPath: string;
  private readonly fd: number;
  private readonly blocks: BlockWriter;
  private previousKey = '';
  private previousId = '';
  private isOpen = true;

  constructor(finalPath: string) {
    this.finalPath = finalPath;
    this.temporaryPath = `${finalPath}.${process.pid}.tmp`;
    this.fd = fs.openSync(this.temporaryPath, 'w', 0o600);
    this.blocks = new BlockWriter(this.fd);
  }

  add(entry: CachedEntry): void {
    const { target } = this.blocks;
    if (this.blocks.isAtBlockStart) {
      this.previousKey = '';
      this.previousId = '';
    }
    const shared = sharedLength(this.previousKey, entry.key);
    target.varint(shared).sizedLatin1(entry.key.slice(shared));
    this.previousKey = entry.key;
    target.bytes(entry.fingerprint).sized(entry.metadata).sizedLatin1(entry.hardLinkTo);
    target.varint(entry.slices.length);
    for (const { chunkId, offset, length } of entry.slices) {
      const isSameChunk = chunkId === this.previousId;
      target.varint(isSameChunk ? 1 : 0);
      if (!isSameChunk) target.bytes(Buffer.from(chunkId, 'hex'));
      target.varint(offset).varint(length);
      this.previousId = chunkId;
    }
    this.blocks.endRecord();
  }

  /** Puts the finished cache in the place of the one before. */
  publish(head: CachedHead): void {
    this.blocks.flush();
    const headPosition = fs.fstatSync(this.fd).size;
    this.blocks.target.bytes(Buffer.from(head.snapshotId, 'hex')).bytes(head.refsetState);
    this.blocks.target.varint(head.refset.length / CHUNK_ID_BYTES);
    this.blocks.flush();
    const step = REFSET_BLOCK_IDS * CHUNK_ID_BYTES;
    for (let start = 0; start < head.refset.length; start += step) {
      this.blocks.target.bytes(head.refset.subarray(start, start + step));
      this.blocks.flush();
    }
    const footer = Buffer.alloc(FOOTER_BYTES);
    footer.write(HEAD_MAGIC, 'latin1');
    footer.writeBigUInt64LE(BigInt(headPosition), 8);
    fs.writeSync(this.fd, footer);
    this.isOpen = false;
    fs.closeSync(this.fd);
    fs.renameSync(this.temporaryPath, this.finalPath);
  }

  /** Leaves no trace, unless it was published. */
  discard(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    fs.closeSync(this.fd);
    fs.rmSync(this.temporaryPath, { force: true });
  }
}

/** Reads a cache: the head first, then the entries one by one. Whatever is wrong with it ends it early. */
export class SetCacheReader {
  readonly head: CachedHead;
  private readonly fd: number;
  private readonly entryBytes: number;

  private constructor(fd: number, head: CachedHead, entryBytes: number) {
    this.fd = fd;
    this.head = head;
    this.entryBytes = entryBytes;
  }

  /** Null where there is no usable cache. */
  static open(filePath: string): SetCacheReader | null {
    let fd: number;
    try {
      fd = fs.openSync(filePath, 'r');
    } catch {
      return null;
    }
    const found = readHead(fd);
    if (found === null) fs.closeSync(fd);
    return found === null ? null : new SetCacheReader(fd, found.head, found.position);
  }

  *entries(): Generator<CachedEntry> {
    const blocks = new BlockReader(this.fd);
    let readBytes = 0;
    while (readBytes < this.entryBytes) {
      const block = blocks.next();
      if (block === null) return;
      readBytes += block.length + 8;
      yield* entriesOf(block);
    }
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}

function* entriesOf(block: Buffer): Generator<CachedEntry> {
  const reader = new ByteReader(block, 'The cache');
  let previousKey = '';
  let previousId = '' as ChunkId;
  while (reader.remaining > 0) {
    const shared = reader.varint();
    const key = (previousKey.slice(0, shared) + reader.sizedLatin1(LIMITS.pathBytesMax)) as CatalogKey;
    previousKey = key;
    const fingerprint = reader.bytes(FINGERPRINT_BYTES);
    const metadata = reader.sized(LIMITS.entryBytesMax);
    const hardLinkTo = reader.sizedLatin1(LIMITS.pathBytesMax);
    const sliceCount = reader.varint();
    const slices: Slice[] = [];
    for (let index = 0; index < sliceCount; index++) {
      if (reader.varint() === 0) previousId = reader.bytes(CHUNK_ID_BYTES).toString('hex') as ChunkId;
      slices.push({ chunkId: previousId, offset: reader.varint(), length: reader.varint() });
    }
    yield { key, fingerprint, metadata, hardLinkTo, slices };
  }
}

function readHead(fd: number): { head: CachedHead; position: number } | null {
  const { size } = fs.fstatSync(fd);
  const footer = Buffer.alloc(FOOTER_BYTES);
  if (size < FOOTER_BYTES || fs.readSync(fd, footer, 0, FOOTER_BYTES, size - FOOTER_BYTES) < FOOTER_BYTES)
    return null;
  if (footer.toString('latin1', 0, 8) !== HEAD_MAGIC) return null;
  const position = Number(footer.readBigUInt64LE(8));
  const blocks = new BlockReader(fd, position);
  const block = blocks.next();
  if (block === null) return null;
  const reader = new ByteReader(block, 'The cache');
  const snapshotId = reader.bytes(32).toString('hex') as SnapshotId;
  const refsetState = Buffer.from(reader.bytes(2048));
  const count = reader.varint();
  const parts: Buffer[] = [];
  for (let read = 0; read < count; read += REFSET_BLOCK_IDS) {
    const part = blocks.next();
    if (part === null) return null;
    parts.push(part);
  }
  return { head: { snapshotId, refsetState, refset: Buffer.concat(parts) }, position };
}

function sharedLength(a: string, b: string): number {
  const lengthMax = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < lengthMax && a.charCodeAt(shared) === b.charCodeAt(shared)) shared += 1;
  return shared;
}
