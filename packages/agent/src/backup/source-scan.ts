import { catalogKey, type CatalogKey } from '@cofre/shared/catalog/catalog-key';
import {
  decodeEntryMetadata,
  encodeEntryMetadata,
  type EntryMetadata,
} from '@cofre/shared/catalog/entry-codec';
import type { ByteString } from '@cofre/shared/bytes';
import { LIMITS } from '@cofre/shared/limits';
import { readAccountNames } from '../platform/account-names.ts';
import { systemErrorCode } from '../platform/system-error.ts';
import { readMetadata } from '../source/metadata.ts';
import type { WalkedEntry, WalkItem, WalkProblem } from '../source/walk-item.ts';
import type { BackupFailure } from './backup.ts';
import { Bundler, type PendingFile } from './bundler.ts';
import type { CachedEntry } from './cache/set-cache.ts';
import type { EntryQueue, FinishedEntry } from './entry-queue.ts';
import {
  fingerprintOf,
  isSameFingerprint,
  NO_FINGERPRINT,
  writeFingerprint,
  FINGERPRINT_BYTES,
} from './fingerprint.ts';
import { HardLinks } from './hard-links.ts';
import type { FileResult } from './pipeline/job-result.ts';
import { boundedMetadata } from './pipeline/store-files.ts';
import type { PreviousEntries } from './previous-entries.ts';

/** Reads files: gives one result a file, in order. */
export interface FileStore {
  storeBundle(files: readonly PendingFile[]): Promise<FileResult[]>;
  storeLarge(file: PendingFile): Promise<FileResult>;
}

export interface ScanCounts {
  filesFound: number;
  filesDone: number;
  filesNew: number;
  filesChanged: number;
  filesUnmodified: number;
  filesFailed: number;
  bytesSeen: number;
}

interface WaitingFile extends PendingFile {
  readonly previous: CachedEntry | null;
  readonly finish: (entry: FinishedEntry | null) => void;
}

/**
 * Turns what the walk finds into entries: unchanged ones from the last run, small things at once, files by
 * way of the workers. Whatever can't be read keeps what the last run had, marked as stale.
 */
export class SourceScan {
  readonly counts: ScanCounts = {
    filesFound: 0,
    filesDone: 0,
    filesNew: 0,
    filesChanged: 0,
    filesUnmodified: 0,
    filesFailed: 0,
    bytesSeen: 0,
  };
  private readonly parts: ScanParts;
  private readonly bundler: Bundler;
  private readonly hardLinks = new HardLinks();
  private readonly waiting = new Map<CatalogKey, WaitingFile>();
  private readonly names = readAccountNames();
  private readonly scratch = Buffer.alloc(FINGERPRINT_BYTES);

  constructor(parts: ScanParts) {
    this.parts = parts;
    this.bundler = new Bundler(parts.bundleKey);
  }

  take(item: WalkItem): void {
    if (item.kind === 'entry') this.takeEntry(item);
    else if (item.kind === 'problem') this.takeProblem(item);
    else this.parts.onFailure({ path: item.path, reason: item.reason, isSkip: true });
    this.storeBundle(this.bundler.takeLate(this.parts.queue.end));
  }

  /** The walk is at its end: what is left is handed to the workers. */
  finish(): void {
    this.parts.previous.finish();
    this.storeBundle(this.bundler.take());
  }

  /** An entry of the last run that lies where the walk could not look. */
  carry(cached: CachedEntry, reason: string): void {
    const carried = this.staleEntry(cached, reason);
    if (carried !== null) this.parts.queue.push(carried);
  }

  private takeEntry(item: WalkedEntry): void {
    const { path, status } = item;
    const key = catalogKey(path);
    const previous = this.parts.previous.advanceTo(key);
    const hardLinkTo = this.hardLinks.firstPathOf(path, status);
    const isFile = status.type === 'file';
    if (isFile) this.counts.filesFound += 1;
    if (isFile && hardLinkTo === '') this.counts.bytesSeen += status.sizeBytes;
    if (previous !== null && this.isUnchanged(previous, item, hardLinkTo)) {
      this.parts.queue.push(finishedFrom(previous, item, hardLinkTo));
      this.countFile(isFile, 'filesUnmodified');
    } else if (isFile && hardLinkTo === '') {
      this.readLater({ path, key, status }, previous);
    } else {
      this.describeNow(item, key, hardLinkTo, previous);
    }
  }

  private isUnchanged(previous: CachedEntry, item: WalkedEntry, hardLinkTo: string): boolean {
    if (this.parts.readsEverything && item.status.type === 'file' && hardLinkTo === '') return false;
    writeFingerprint(this.scratch, item.status);
    return (
      isSameFingerprint(previous.fingerprint, this.scratch) &&
      previous.hardLinkTo === hardLinkTo &&
      this.parts.isUsable(previous)
    );
  }

  private readLater(file: PendingFile, previous: CachedEntry | null): void {
    const finish = this.parts.queue.reserve();
    this.waiting.set(file.key, { ...file, previous, finish });
    if (file.status.sizeBytes > LIMITS.bundledFileBytesMax) {
      this.storeLarge(file);
      return;
    }
    for (const bundle of this.bundler.add(file, this.parts.queue.end)) this.storeBundle(bundle);
  }

  private storeBundle(files: readonly PendingFile[]): void {
    if (files.length === 0) return;
    this.parts.store
      .storeBundle(files)
      .then((results) => {
        if (results.length !== files.length) throw new RangeError('a job gave another number of results');
        for (const [index, file] of files.entries()) this.settle(file.key, results[index] as FileResult);
      })
      .catch((error: unknown) => this.parts.onError(error));
  }

  private storeLarge(file: PendingFile): void {
    this.parts.store
      .storeLarge(file)
      .then((result) => this.settle(file.key, result))
      .catch((error: unknown) => this.parts.onError(error));
  }

  private settle(key: CatalogKey, result: FileResult): void {
    const file = this.waiting.get(key);
    if (file === undefined) throw new RangeError('a result for a file that nobody waits for');
    this.waiting.delete(key);
    this.counts.filesDone += 1;
    if (result.kind === 'failed') {
      this.failFile(file, result.reason);
      return;
    }
    if (result.attributeProblem !== '') this.reportFailure(file.path, result.attributeProblem);
    if (result.changedWhileRead) this.reportFailure(file.path, 'changed');
    this.counts[file.previous === null ? 'filesNew' : 'filesChanged'] += 1;
    file.finish({
      key,
      fingerprint: result.changedWhileRead ? NO_FINGERPRINT : result.fingerprint,
      metadata: result.metadata,
      hardLinkTo: '',
      slices: result.slices,
      kind: 'file',
      sizeBytes: result.sizeBytes,
    });
  }

  private failFile(file: WaitingFile, reason: string): void {
    this.hardLinks.forget(file.status);
    this.reportFailure(file.path, reason);
    const isGone = reason === 'ENOENT';
    file.finish(file.previous === null || isGone ? null : this.staleEntry(file.previous, reason));
  }

  /** Folders, links, devices, further names of a file: everything without content of its own. */
  private describeNow(
    item: WalkedEntry,
    key: CatalogKey,
    hardLinkTo: ByteString,
    previous: CachedEntry | null,
  ): void {
    const isFile = item.status.type === 'file';
    try {
      const readNs = BigInt(Date.now()) * 1_000_000n;
      const source = `/${item.path}` as ByteString;
      const described = boundedMetadata(
        readMetadata(source, item.status, this.names, { followLink: item.ancestor }),
      );
      if (described.problem !== '') this.reportFailure(item.path, described.problem);
      const metadata: EntryMetadata =
        hardLinkTo === '' ? described.metadata : { ...described.metadata, hardLinkTo };
      this.parts.queue.push({
        ...finishedFrom({ key, metadata: encodeEntryMetadata(metadata), slices: [] }, item, hardLinkTo),
        fingerprint: fingerprintOf(item.status, readNs),
      });
      this.countFile(isFile, previous === null ? 'filesNew' : 'filesChanged');
    } catch (error) {
      const reason = systemErrorCode(error) ?? 'EIO';
      this.reportFailure(item.path, reason);
      if (previous !== null && reason !== 'ENOENT') this.carry(previous, reason);
    }
  }

  private takeProblem(problem: WalkProblem): void {
    const key = catalogKey(problem.path);
    // What comes before it is settled by what was walked; only then does the unknown begin.
    if (problem.step === 'status') this.parts.previous.markUnknown(problem.path, key, problem.code);
    else this.parts.previous.markUnknown(problem.path, `${key}\0` as CatalogKey, problem.code);
    this.reportFailure(problem.path, problem.code);
  }

  private staleEntry(cached: CachedEntry, reason: string): FinishedEntry | null {
    if (!this.parts.isUsable(cached)) return null;
    const metadata = decodeEntryMetadata(cached.metadata);
    const sinceNs = metadata.flags?.stale?.sinceNs ?? this.parts.startedNs;
    const flags = { ...metadata.flags, stale: { sinceNs, reason } };
    return {
      ...cached,
      metadata: encodeEntryMetadata({ ...metadata, flags }),
      fingerprint: NO_FINGERPRINT,
      kind: metadata.type === 'directory' ? 'folder' : metadata.type === 'file' ? 'file' : 'other',
      sizeBytes: metadata.size,
    };
  }

  private reportFailure(path: ByteString, reason: string): void {
    this.counts.filesFailed += 1;
    this.parts.onFailure({ path, reason, isSkip: false });
  }

  private countFile(isFile: boolean, as: 'filesNew' | 'filesChanged' | 'filesUnmodified'): void {
    if (!isFile) return;
    this.counts[as] += 1;
    this.counts.filesDone += 1;
  }
}

export interface ScanParts {
  readonly queue: EntryQueue;
  readonly previous: PreviousEntries;
  readonly store: FileStore;
  /** 8 bytes. */
  readonly bundleKey: Uint8Array;
  readonly startedNs: bigint;
  /** A full run: fingerprints are not trusted. */
  readonly readsEverything: boolean;
  /** Whether everything that a cached entry refers to is live. */
  readonly isUsable: (entry: CachedEntry) => boolean;
  readonly onFailure: (failure: BackupFailure) => void;
  /** Something that is no file's fault: the attempt is over. */
  readonly onError: (error: unknown) => void;
}

function finishedFrom(
  known: Pick<CachedEntry, 'key' | 'metadata' | 'slices'> & Partial<Pick<CachedEntry, 'fingerprint'>>,
  item: WalkedEntry,
  hardLinkTo: string,
): FinishedEntry {
  const { type, sizeBytes } = item.status;
  return {
    key: known.key,
    fingerprint: known.fingerprint ?? NO_FINGERPRINT,
    metadata: known.metadata,
    hardLinkTo,
    slices: known.slices,
    kind: type === 'directory' ? 'folder' : type === 'file' ? 'file' : 'other',
    sizeBytes,
  };
}
