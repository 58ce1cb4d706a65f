import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { ByteReader } from '@cofre/shared/encoding/byte-reader';
import type { CatalogKey } from '@cofre/shared/catalog/catalog-key';
import { CHUNK_ID_BYTES, type SetId, type SnapshotId } from '@cofre/shared/ids';
import { systemErrorCode } from '../../platform/system-error.ts';
import { CachedEntryWriter, entriesOf, type CachedEntry } from './cached-entry.ts';
import { BlockReader, BlockWriter, writeFully } from './record-blocks.ts';

export type { CachedEntry } from './cached-entry.ts';

/** What belongs to the snapshot as a whole. */
export interface CachedHead {
  readonly snapshotId: SnapshotId;
  /** `RefsetHash.state()` */
  readonly refsetState: Buffer;
  readonly refsetCount: number;
}

/**
 * A cache is a file: entries in blocks, then the head in a block, the refset in blocks, and a footer:
 *
 *     "CofreCa2" ‖ where the head begins u64 ‖ CRC-32 of both u32
 */
const FOOTER_MAGIC = 'CofreCa2';
const FOOTER_BYTES = 20;
const SNAPSHOT_ID_BYTES = 32;
const REFSET_STATE_BYTES = 2048;
/** The refset is kept in blocks of this many ids. */
const REFSET_BLOCK_IDS = 32_768;

/** Where the cache of a set lies. */
export function setCachePath(cacheFolder: string, setId: SetId): string {
  return path.join(cacheFolder, `${setId}.run`);
}

/**
 * Writes what the next run of a set will compare with: the entries in order, then the head. It becomes
 * visible under its name when it is complete; before that, and if it is lost, the next run reads the source
 * once more. So a cache that cannot be written fails no run: {@link problem} says that it is given up.
 */
export class SetCacheWriter {
  /** Why there will be no cache of this run: the code of a system error. */
  problem: string | null = null;
  private readonly finalPath: string;
  private readonly temporaryPath: string;
  private open: {
    readonly fd: number;
    readonly blocks: BlockWriter;
    readonly entries: CachedEntryWriter;
  } | null = null;

  constructor(finalPath: string) {
    this.finalPath = finalPath;
    // One name, so that whoever was killed leaves one file behind, which the next run takes away.
    this.temporaryPath = `${finalPath}.tmp`;
    this.attempt(() => {
      fs.mkdirSync(path.dirname(finalPath), { recursive: true, mode: 0o700 });
      fs.rmSync(this.temporaryPath, { force: true });
      const fd = fs.openSync(this.temporaryPath, 'wx', 0o600);
      const blocks = new BlockWriter(fd);
      this.open = { fd, blocks, entries: new CachedEntryWriter(blocks) };
    });
  }

  add(entry: CachedEntry): void {
    this.attempt(() => this.open?.entries.add(entry));
  }

  /**
   * Puts the finished cache in the place of the one before.
   * @param refset ascending ids of 32 bytes
   */
  publish(head: Pick<CachedHead, 'snapshotId' | 'refsetState'>, refset: Buffer): void {
    this.attempt(() => {
      if (this.open === null) return;
      const { fd, blocks } = this.open;
      blocks.flush();
      const headPosition = fs.fstatSync(fd).size;
      blocks.target.bytes(Buffer.from(head.snapshotId, 'hex')).bytes(head.refsetState);
      blocks.target.varint(refset.length / CHUNK_ID_BYTES);
      blocks.flush();
      const step = REFSET_BLOCK_IDS * CHUNK_ID_BYTES;
      for (let start = 0; start < refset.length; start += step) {
        blocks.target.bytes(refset.subarray(start, start + step));
        blocks.flush();
      }
      writeFully(fd, footerFor(headPosition));
      this.close();
      fs.renameSync(this.temporaryPath, this.finalPath);
    });
  }

  /** Leaves no trace, unless it was published. */
  discard(): void {
    if (this.open === null) return;
    this.close();
    fs.rmSync(this.temporaryPath, { force: true });
  }

  private close(): void {
    if (this.open === null) return;
    const { fd } = this.open;
    // First of all: the number may belong to another file at once.
    this.open = null;
    fs.closeSync(fd);
  }

  private attempt(write: () => void): void {
    if (this.problem !== null) return;
    try {
      write();
    } catch (error) {
      this.problem = systemErrorCode(error) ?? null;
      if (this.problem === null) throw error;
      orNull(() => this.discard());
    }
  }
}

/** Reads a cache: the head first, then the entries one by one. Whatever is wrong with it ends it early. */
export class SetCacheReader {
  readonly head: CachedHead;
  private fd: number | null;
  private readonly entriesEnd: number;
  private readonly refsetPosition: number;
  private readonly fileEnd: number;
  /** Blocks of entries that were read, by their first key. */
  private readonly index: { readonly firstKey: CatalogKey; readonly position: number }[] = [];

  private constructor(fd: number, layout: CacheLayout) {
    this.fd = fd;
    this.head = layout.head;
    this.entriesEnd = layout.entriesEnd;
    this.refsetPosition = layout.refsetPosition;
    this.fileEnd = layout.fileEnd;
  }

  /** Null where there is no usable cache. */
  static open(filePath: string): SetCacheReader | null {
    let fd: number;
    try {
      fd = fs.openSync(filePath, 'r');
    } catch {
      return null;
    }
    const reader = orNull(() => {
      const layout = readLayout(fd);
      return layout === null ? null : new SetCacheReader(fd, layout);
    });
    if (reader?.hasWholeRefset() === true) return reader;
    fs.closeSync(fd);
    return null;
  }

  /** In ascending order of their keys. */
  *entries(): Generator<CachedEntry> {
    let lastKey: string | null = null;
    this.index.length = 0;
    for (let position = 0; this.fd !== null;) {
      const blocks = new BlockReader(this.fd, position, this.entriesEnd);
      const entries = orNull(() => entriesIn(blocks.next()));
      const [first] = entries ?? [];
      if (entries === null || first === undefined) return;
      this.index.push({ firstKey: first.key, position });
      for (const entry of entries) {
        if (lastKey !== null && entry.key <= lastKey) return;
        lastKey = entry.key;
        yield entry;
      }
      position = blocks.position;
    }
  }

  /** The entry of a key that {@link entries} has passed already. */
  find(key: CatalogKey): CachedEntry | null {
    const position = this.blockOf(key);
    if (position === null || this.fd === null) return null;
    const blocks = new BlockReader(this.fd, position, this.entriesEnd);
    const entries = orNull(() => entriesIn(blocks.next()));
    return entries?.find((entry) => entry.key === key) ?? null;
  }

  /** The refset in parts: ascending ids of 32 bytes. */
  *refsetParts(): Generator<Buffer> {
    if (this.fd === null) return;
    const blocks = new BlockReader(this.fd, this.refsetPosition, this.fileEnd);
    for (let count = 0; count < this.head.refsetCount; count += REFSET_BLOCK_IDS) {
      const part = blocks.next();
      if (part === null) return;
      yield part;
    }
  }

  close(): void {
    if (this.fd === null) return;
    const { fd } = this;
    this.fd = null;
    fs.closeSync(fd);
  }

  private hasWholeRefset(): boolean {
    const bytes = orNull(() => {
      let sum = 0;
      for (const part of this.refsetParts()) sum += part.length;
      return sum;
    });
    return bytes === this.head.refsetCount * CHUNK_ID_BYTES;
  }

  /** Where the block is that would hold a key, by bisection. */
  private blockOf(key: CatalogKey): number | null {
    let low = 0;
    let high = this.index.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.index[middle]?.firstKey ?? '') <= key) low = middle + 1;
      else high = middle;
    }
    return this.index[low - 1]?.position ?? null;
  }
}

interface CacheLayout {
  readonly head: CachedHead;
  readonly entriesEnd: number;
  readonly refsetPosition: number;
  readonly fileEnd: number;
}

function entriesIn(block: Buffer | null): CachedEntry[] | null {
  return block === null ? null : [...entriesOf(block)];
}

function readLayout(fd: number): CacheLayout | null {
  const fileEnd = fs.fstatSync(fd).size - FOOTER_BYTES;
  const footer = Buffer.alloc(FOOTER_BYTES);
  if (fileEnd < 0 || fs.readSync(fd, footer, 0, FOOTER_BYTES, fileEnd) < FOOTER_BYTES) return null;
  const entriesEnd = Number(footer.readBigUInt64LE(8));
  if (!footer.equals(footerFor(entriesEnd))) return null;
  const blocks = new BlockReader(fd, entriesEnd, fileEnd);
  const block = blocks.next();
  if (block === null) return null;
  const reader = new ByteReader(block, 'The cache');
  const snapshotId = reader.bytes(SNAPSHOT_ID_BYTES).toString('hex') as SnapshotId;
  const refsetState = Buffer.from(reader.bytes(REFSET_STATE_BYTES));
  const head = { snapshotId, refsetState, refsetCount: reader.varint() };
  reader.expectEnd();
  return { head, entriesEnd, refsetPosition: blocks.position, fileEnd };
}

function footerFor(headPosition: number): Buffer {
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.write(FOOTER_MAGIC, 'latin1');
  footer.writeBigUInt64LE(BigInt(headPosition), 8);
  footer.writeUInt32LE(crc32(footer.subarray(0, 16)), 16);
  return footer;
}

/** A cache that cannot be read is none: what it knew is found out anew. */
function orNull<Value>(attempt: () => Value): Value | null {
  try {
    return attempt();
  } catch {
    return null;
  }
}
