import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { ByteReader } from '@cofre/shared/encoding/byte-reader';
import type { CatalogKey } from '@cofre/shared/catalog/catalog-key';
import { CHUNK_ID_BYTES, type SnapshotId } from '@cofre/shared/ids';
import { systemErrorCode } from '../../platform/system-error.ts';
import type { CachedEntry } from './cached-entry.ts';
import { EntryFile, orNull, type EntrySource } from './entry-file.ts';
import { EntryFileWriter } from './entry-file-writer.ts';
import { BlockReader, writeFully } from './record-blocks.ts';

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

/** How long what was read may wait to be written where a killed run finds it, and to be safe from a power loss. */
export interface JournalPace {
  readonly flushMs: number;
  readonly syncMs: number;
}

const JOURNAL_PACE: JournalPace = { flushMs: 2000, syncMs: 60_000 };

/**
 * Writes what the next run of a set will compare with: the entries in order, then the head. While the run goes on the
 * file is its journal, which a next one takes up should this one be interrupted; when it is complete it becomes visible
 * under its name. So a cache that cannot be written fails no run: {@link problem} says that it is given up.
 */
export class SetCacheWriter {
  /** Why there will be no cache of this run: the code of a system error. */
  problem: string | null = null;
  private readonly finalPath: string;
  private readonly journalPath: string;
  private readonly pace: JournalPace;
  private file: EntryFileWriter | null = null;
  private timer: NodeJS.Timeout | undefined;
  private syncedMs = performance.now();

  constructor(finalPath: string, journalPath: string, pace = JOURNAL_PACE) {
    this.finalPath = finalPath;
    this.journalPath = journalPath;
    this.pace = pace;
    this.attempt(() => {
      fs.mkdirSync(path.dirname(finalPath), { recursive: true, mode: 0o700 });
      fs.rmSync(journalPath, { force: true });
      this.file = new EntryFileWriter(fs.openSync(journalPath, 'wx', 0o600));
      this.timer = setInterval(() => this.tend(), pace.flushMs).unref();
    });
  }

  add(entry: CachedEntry): void {
    this.attempt(() => this.file?.add(entry));
  }

  /** Writes out what was added. */
  private tend(): void {
    const nowMs = performance.now();
    this.attempt(() => this.file?.flush());
    if (nowMs - this.syncedMs < this.pace.syncMs) return;
    this.syncedMs = nowMs;
    // Not for safety: after a power loss hours of reading would be done again.
    this.attempt(() => this.file?.sync());
  }

  /**
   * Puts the finished cache in the place of the one before.
   * @param refset ascending ids of 32 bytes
   */
  publish(head: Pick<CachedHead, 'snapshotId' | 'refsetState'>, refset: Buffer): void {
    this.attempt(() => {
      if (this.file === null) return;
      const { fd, blocks } = this.file;
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
      // Before the rename: a power loss would leave an empty file in the place of a good one.
      this.file.sync();
      this.close();
      fs.renameSync(this.journalPath, this.finalPath);
    });
  }

  /** The run is over before its end: what it read stays, for the next one. Does nothing after {@link publish}. */
  leave(): void {
    this.attempt(() => {
      this.file?.flush();
      this.close();
    });
  }

  private discard(): void {
    if (this.file === null) return;
    this.close();
    fs.rmSync(this.journalPath, { force: true });
  }

  private close(): void {
    if (this.file === null) return;
    const { file } = this;
    // First of all: the number may belong to another file at once.
    this.file = null;
    clearInterval(this.timer);
    file.close();
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
export class SetCacheReader implements EntrySource {
  readonly head: CachedHead;
  private fd: number | null;
  private readonly file: EntryFile;
  private readonly refsetPosition: number;
  private readonly fileEnd: number;

  private constructor(fd: number, layout: CacheLayout) {
    this.fd = fd;
    this.file = new EntryFile(fd, layout.entriesEnd);
    this.head = layout.head;
    this.refsetPosition = layout.refsetPosition;
    this.fileEnd = layout.fileEnd;
  }

  /** Null where there is no usable cache. */
  static open(filePath: string): SetCacheReader | null {
    const fd = orNull(() => fs.openSync(filePath, 'r'));
    if (fd === null) return null;
    const reader = orNull(() => {
      const layout = readLayout(fd);
      return layout === null ? null : new SetCacheReader(fd, layout);
    });
    if (reader?.hasWholeRefset() === true) return reader;
    fs.closeSync(fd);
    return null;
  }

  /** In ascending order of their keys. */
  entries(): Generator<CachedEntry> {
    return this.file.entries();
  }

  find(key: CatalogKey): CachedEntry | null {
    return this.file.find(key);
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
    this.fd = null;
    this.file.close();
  }

  private hasWholeRefset(): boolean {
    const bytes = orNull(() => {
      let sum = 0;
      for (const part of this.refsetParts()) sum += part.length;
      return sum;
    });
    return bytes === this.head.refsetCount * CHUNK_ID_BYTES;
  }
}

interface CacheLayout {
  readonly head: CachedHead;
  readonly entriesEnd: number;
  readonly refsetPosition: number;
  readonly fileEnd: number;
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
