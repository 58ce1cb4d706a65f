import type { ByteString } from '@cofre/shared/bytes';
import { catalogKey, pathOfKey, type CatalogKey } from '@cofre/shared/catalog/catalog-key';
import {
  decodeEntryMetadata,
  encodeEntryMetadata,
  type EntryMetadata,
} from '@cofre/shared/catalog/entry-codec';
import { hasLostContent, LOST_REASON, type EntryType, type Slice } from '@cofre/shared/format/entry';
import { LIMITS } from '@cofre/shared/limits';
import { readAccountNames } from '../platform/account-names.ts';
import { systemErrorCode } from '../platform/system-error.ts';
import { readMetadata } from '../source/metadata.ts';
import type { WalkedEntry, WalkItem, WalkProblem } from '../source/walk-item.ts';
import type { BackupFailure } from './backup.ts';
import { Bundler, type PendingFile } from './bundler.ts';
import type { CachedEntry } from './cache/set-cache.ts';
import { kindOf, type EntryQueue, type FinishedEntry } from './entry-queue.ts';
import {
  fingerprintOf,
  isSameFingerprint,
  voided,
  writeFingerprint,
  FINGERPRINT_BYTES,
} from './fingerprint.ts';
import { HardLinks, type LinkGroup } from './hard-links.ts';
import type { FileResult, StoredFile } from './pipeline/job-result.ts';
import { boundedMetadata } from './pipeline/store-files.ts';
import type { KnownEntry } from './known-entries.ts';
import type { PreviousEntries } from './previous-entries.ts';
import type { StaleEntries } from './stale-entries.ts';

/** Reads files: gives one result a file, in order. */
export interface FileStore {
  storeBundle(files: readonly PendingFile[]): Promise<FileResult[]>;
  storeLarge(file: PendingFile): Promise<FileResult>;
}

export interface ScanParts {
  readonly queue: EntryQueue;
  readonly previous: PreviousEntries;
  readonly stale: StaleEntries;
  readonly store: FileStore;
  /** 8 bytes. */
  readonly bundleKey: Uint8Array;
  /** Whether everything that a cached entry refers to is on the server. */
  readonly isUsable: (entry: CachedEntry) => boolean;
  /** Whether a path of the last run still belongs to what is backed up. */
  readonly isWanted: (path: ByteString, isFolder: boolean) => boolean;
  readonly onFailure: (failure: BackupFailure) => void;
  /** Something that is no file's fault: the attempt is over. */
  readonly onError: (error: unknown) => void;
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

/** What the walk found under a path, and what the last run knew of it. */
interface Found {
  readonly item: WalkedEntry;
  readonly key: CatalogKey;
  readonly previous: KnownEntry | null;
  /** Where its entry goes; null: it gets none. */
  readonly finish: (entry: FinishedEntry | null) => void;
  /** The names of the object, if it has several and this is to be the first. */
  readonly group: LinkGroup | null;
}

interface WaitingFile extends PendingFile {
  readonly found: Found;
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
  private readonly bundler: Bundler<WaitingFile>;
  private readonly hardLinks = new HardLinks();
  private readonly names = readAccountNames();
  private readonly scratch = Buffer.alloc(FINGERPRINT_BYTES);
  private readonly push = (entry: FinishedEntry | null): void => {
    if (entry !== null) this.parts.queue.push(entry);
  };

  constructor(parts: ScanParts) {
    this.parts = parts;
    this.bundler = new Bundler(parts.bundleKey);
  }

  /**
   * Whether entries of the last run come before this item (null: the end of the walk) that may have to be carried.
   * Some of them are, a bounded number: call it until it says no, and take from the queue in between.
   */
  carriesBefore(item: WalkItem | null): boolean {
    const { previous, queue } = this.parts;
    if (!previous.hasUnknown) return false;
    const mayGoOn = previous.passSome(item === null ? null : catalogKey(item.path));
    this.storeBundle(this.bundler.takeLate(queue.end));
    return mayGoOn;
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
    const path = pathOfKey(cached.key);
    const { type } = decodeEntryMetadata(cached.metadata);
    if (!this.parts.isWanted(path, type === 'directory')) return;
    const carried = this.parts.stale.of(cached, reason);
    if (isLost(carried)) this.reportFailures(path, [LOST_REASON]);
    if (carried !== null) this.parts.queue.push(carried);
  }

  private takeEntry(item: WalkedEntry): void {
    const { path, status } = item;
    const key = catalogKey(path);
    const previous = this.parts.previous.advanceTo(key);
    this.parts.previous.markContentKnown(path, key);
    if (status.type === 'file') this.counts.filesFound += 1;
    const link = this.hardLinks.groupOf(path, status);
    if (link === null || link.isFirst) {
      this.takeFirst({ item, key, previous, finish: this.push, group: link?.group ?? null }, true);
      return;
    }
    const finish = this.parts.queue.reserve();
    const further: Found = { item, key, previous, finish, group: null };
    link.group.add({
      path,
      lead: () => this.takeFirst({ ...further, group: link.group }, false),
      follow: (firstPath) => this.takeFurther(further, firstPath),
    });
  }

  /** A name that carries what it stands for: the only one of an object, or the first. */
  private takeFirst(found: Found, isInTurn: boolean): void {
    const { item, previous, group, finish } = found;
    if (item.status.type === 'file') this.counts.bytesSeen += item.status.sizeBytes;
    if (previous !== null && this.isUnchanged(previous, item, '')) {
      finish(entryOf(found, previous, ''));
      this.countFile(item, outcomeOfUnchanged(previous));
      group?.settle(true);
    } else if (item.status.type === 'file') {
      this.readLater(found, isInTurn);
    } else {
      this.describe(found, '' as ByteString);
    }
  }

  private takeFurther(found: Found, firstPath: ByteString): void {
    const { item, previous } = found;
    if (previous !== null && this.isUnchanged(previous, item, firstPath)) {
      found.finish(entryOf(found, previous, firstPath));
      this.countFile(item, outcomeOfUnchanged(previous));
    } else {
      this.describe(found, firstPath);
    }
  }

  private isUnchanged(previous: KnownEntry, item: WalkedEntry, hardLinkTo: string): boolean {
    return (
      previous.isOutdated !== true &&
      this.hasSameFingerprint(previous, item) &&
      previous.hardLinkTo === hardLinkTo &&
      this.parts.isUsable(previous)
    );
  }

  private hasSameFingerprint(previous: CachedEntry, item: WalkedEntry): boolean {
    writeFingerprint(this.scratch, item.status);
    return isSameFingerprint(previous.fingerprint, this.scratch);
  }

  /** @param isInTurn the walk is at this file now, so that it can be bundled with what comes next */
  private readLater(found: Found, isInTurn: boolean): void {
    const { item, key } = found;
    const { queue } = this.parts;
    const place = queue.end;
    const finish = isInTurn ? queue.reserve() : found.finish;
    const { path, status } = item;
    const file: WaitingFile = { path, key, status, found: { ...found, finish } };
    if (status.sizeBytes > LIMITS.bundledFileBytesMax) this.storeLarge(file);
    else if (isInTurn) for (const bundle of this.bundler.add(file, place)) this.storeBundle(bundle);
    else this.storeBundle([file]);
  }

  private storeBundle(files: readonly WaitingFile[]): void {
    if (files.length === 0) return;
    this.parts.store
      .storeBundle(files)
      .then((results) => {
        if (results.length !== files.length) throw new RangeError('a job gave another number of results');
        for (const [index, file] of files.entries()) this.settle(file.found, results[index] as FileResult);
      })
      .catch((error: unknown) => this.parts.onError(error));
  }

  private storeLarge(file: WaitingFile): void {
    this.parts.store
      .storeLarge(file)
      .then((result) => this.settle(file.found, result))
      .catch((error: unknown) => this.parts.onError(error));
  }

  private settle(found: Found, result: FileResult): void {
    const { item, key, previous, finish, group } = found;
    if (result.kind === 'failed') {
      this.fail(found, result.reason);
      return;
    }
    const { metadata, slices, sizeBytes, changedWhileRead, attributeProblem } = result;
    const problems = changedWhileRead ? ['changed'] : [];
    if (attributeProblem !== '') problems.push(attributeProblem);
    this.reportFailures(item.path, problems);
    this.countFile(item, this.outcomeOf(previous, item, result));
    const fingerprint = changedWhileRead ? voided(result.fingerprint) : result.fingerprint;
    finish({ key, fingerprint, metadata, hardLinkTo: '', slices, kind: 'file', sizeBytes });
    group?.settle(!result.isReplaced);
  }

  /** A file that was read again, because the run is a full one or its fingerprint was void, need not have changed. */
  private outcomeOf(previous: KnownEntry | null, item: WalkedEntry, result: StoredFile) {
    if (previous === null || previous.sinceLast === 'new') return 'filesNew';
    if (result.isReplaced || result.changedWhileRead) return 'filesChanged';
    const isSame =
      this.hasSameFingerprint(previous, item) ||
      (previous.metadata.equals(result.metadata) && isSameContent(previous.slices, result.slices));
    return isSame ? 'filesUnmodified' : 'filesChanged';
  }

  /** What the last run had stands in for what could not be read; what has gone meanwhile was not there. */
  private fail({ item, previous, finish, group }: Found, reason: string): void {
    const { path, status } = item;
    if (status.type === 'file') this.counts.filesDone += 1;
    // The content of a folder is kept where it cannot be listed: so is the folder.
    if (reason === 'ENOENT' && status.type !== 'directory') {
      this.parts.onFailure({ path, reason: 'vanished', isSkip: true });
      finish(null);
    } else {
      const carried = previous === null ? null : this.parts.stale.of(previous, reason);
      const isWithoutContent = previous !== null && isLost(carried);
      this.reportFailures(path, isWithoutContent ? [reason, LOST_REASON] : [reason]);
      finish(carried);
    }
    group?.settle(false);
  }

  /** Folders, links, devices, further names of a file: everything without content of its own. */
  private describe(found: Found, hardLinkTo: ByteString): void {
    const { item, key, previous, finish, group } = found;
    const readNs = BigInt(Date.now()) * 1_000_000n;
    let described: ReturnType<typeof boundedMetadata>;
    try {
      const source = `/${item.path}` as ByteString;
      described = boundedMetadata(
        readMetadata(source, item.status, this.names, { followLink: item.ancestor }),
      );
    } catch (error) {
      const reason = systemErrorCode(error);
      if (reason === undefined) throw error;
      this.fail(found, reason);
      return;
    }
    // Attributes belong to the object, so its first name has told of them.
    if (described.problem !== '' && hardLinkTo === '') this.reportFailures(item.path, [described.problem]);
    const metadata: EntryMetadata =
      hardLinkTo === '' ? described.metadata : { ...described.metadata, hardLinkTo };
    const fingerprint = fingerprintOf(item.status, readNs);
    const encoded = encodeEntryMetadata(metadata);
    this.countFile(item, previous === null ? 'filesNew' : 'filesChanged');
    finish(entryOf(found, { key, fingerprint, metadata: encoded, slices: [] }, hardLinkTo));
    group?.settle(true);
  }

  private takeProblem({ path, step, code }: WalkProblem): void {
    const { previous } = this.parts;
    const key = catalogKey(path);
    // What comes before it is settled by what was walked; only then does the unknown begin.
    if (step === 'list') previous.markContentUnknown(path, code);
    // A folder above it is none any more: then the path is known to be gone.
    else if (code !== 'ENOTDIR') previous.markUnknown(path, key, code);
    this.reportFailures(path, [code]);
  }

  /** Whatever is wrong with it, a path fails once. */
  private reportFailures(path: ByteString, reasons: readonly string[]): void {
    if (reasons.length > 0) this.counts.filesFailed += 1;
    for (const reason of reasons) this.parts.onFailure({ path, reason, isSkip: false });
  }

  private countFile(item: WalkedEntry, as: 'filesNew' | 'filesChanged' | 'filesUnmodified'): void {
    if (item.status.type !== 'file') return;
    this.counts[as] += 1;
    this.counts.filesDone += 1;
  }
}

/** What an interrupted run read is not read again, and is new all the same. */
function outcomeOfUnchanged({ sinceLast }: KnownEntry) {
  const outcomes = { new: 'filesNew', changed: 'filesChanged' } as const;
  return sinceLast === undefined ? 'filesUnmodified' : outcomes[sinceLast];
}

function entryOf(
  { key, item }: Found,
  known: Pick<CachedEntry, 'key' | 'metadata' | 'slices' | 'fingerprint'>,
  hardLinkTo: string,
): FinishedEntry {
  const { fingerprint, metadata, slices } = known;
  const { type, sizeBytes } = item.status;
  return { key, fingerprint, metadata, hardLinkTo, slices, kind: kindOf(type as EntryType), sizeBytes };
}

/** Whether what was carried has lost content, or could not be carried at all. */
function isLost(carried: FinishedEntry | null): boolean {
  return carried === null || hasLostContent(decodeEntryMetadata(carried.metadata));
}

function isSameContent(a: readonly Slice[], b: readonly Slice[]): boolean {
  return (
    a.length === b.length &&
    a.every((slice, place) => {
      const other = b[place] as Slice;
      return (
        slice.chunkId === other.chunkId && slice.offset === other.offset && slice.length === other.length
      );
    })
  );
}
