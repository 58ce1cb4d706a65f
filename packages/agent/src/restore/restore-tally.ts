import { displayName, type ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { hasLostContent, type Entry } from '@cofre/shared/format/entry';
import type { ReadableSnapshot } from '../vault-reader/snapshot.ts';
import type { LostEntries } from '../vault-reader/lost-entries.ts';
import type { LostChunk, LostReason } from './restore-job.ts';
import type { RestoreNote, RestoreObserver, RestoreProgress, RestoreSummary } from './restore.ts';
import type { TargetReport } from './target/target.ts';

/** Counts what a restore does, and tells its observer. */
export class RestoreTally {
  readonly #observer: RestoreObserver;
  readonly #lost: LostEntries;
  readonly #startMs = performance.now();
  readonly #totals = { files: 0, bytes: 0 };
  readonly #lostChunks = new Set<string>();
  readonly #counts = { folders: 0, links: 0, specials: 0 };
  #filesDone = 0;
  /** Further names of files, which a snapshot counts as files. */
  #fileNames = 0;
  #bytesDone = 0;
  #bytesLost = 0;
  #bytesReceived = 0;
  #filesLost = 0;
  #filesOfLaterFormat = 0;
  #firstLost: ByteString | null = null;
  #filesStale = 0;
  #filesChanged = 0;

  constructor(observer: RestoreObserver, lost: LostEntries) {
    this.#observer = observer;
    this.#lost = lost;
  }

  expect(totals: { readonly files: number; readonly bytes: number }): void {
    this.#totals.files = totals.files;
    this.#totals.bytes = totals.bytes;
  }

  tell(phase: RestoreProgress['phase'], currentPath: ByteString | null = null): void {
    const filesDone = this.#filesDone + this.#fileNames;
    this.#observer.onProgress({
      phase,
      filesDone,
      filesTotal: Math.max(this.#totals.files, filesDone),
      bytesDone: this.#bytesDone,
      bytesTotal: Math.max(this.#totals.bytes, this.#bytesDone),
      currentPath,
    });
  }

  /** Notes what whoever restores should know of an entry; counts it, for a dry run. */
  entry(path: ByteString, { type, flags, hardLinkTo }: Entry): void {
    if (hardLinkTo !== undefined || type === 'symlink') this.#counts.links += 1;
    else if (type === 'directory') this.#counts.folders += 1;
    else if (type !== 'file' && type !== 'stream') this.#counts.specials += 1;
    if (hardLinkTo !== undefined && type === 'file') this.#fileNames += 1;
    if (flags === undefined) return;
    if (flags.stale !== undefined) {
      this.#filesStale += 1;
      const since = new Date(Number(flags.stale.sinceNs / 1_000_000n));
      const day = Number.isNaN(since.getTime()) ? 'an unknown time' : since.toISOString();
      this.#note('stale', path, `${printable(flags.stale.reason)} since ${day}`);
    }
    if (flags.changedWhileRead === true) {
      this.#filesChanged += 1;
      this.#note('changed-while-read', path);
    }
    // What was lost is told when the file is done.
    if (flags.placeholder === true && !hasLostContent({ flags })) this.#note('placeholder', path);
  }

  fileDone(path: ByteString, sizeBytes: number, outcome: 'restored' | 'left-out' | LostReason): void {
    this.#filesDone += 1;
    this.#bytesDone += sizeBytes;
    if (outcome === 'restored') return;
    this.#bytesLost += sizeBytes;
    if (outcome === 'left-out') return;
    this.#filesLost += 1;
    this.#firstLost ??= path;
    if (outcome === 'later-format') this.#filesOfLaterFormat += 1;
    this.#note(outcome === 'later-format' ? 'later-format' : 'content-lost', path);
  }

  /** A further name of a file whose first name, which has the content, is among what the catalog has lost. */
  nameLost(path: ByteString): void {
    this.#fileNames += 1;
    this.#filesLost += 1;
    this.#firstLost ??= path;
    this.#note('content-lost', path, 'its first name is lost');
  }

  folderUnknown(path: ByteString): void {
    this.#note('folder-unknown', path);
  }

  received(bytes: number, lostChunks: readonly LostChunk[]): void {
    this.#bytesReceived += bytes;
    for (const { chunkId } of lostChunks) this.#lostChunks.add(chunkId);
  }

  /** @param report null for a dry run */
  summary({ snapshotId, manifest }: ReadableSnapshot, report: TargetReport | null): RestoreSummary {
    return {
      snapshotId,
      isSnapshotComplete: manifest.isComplete,
      isDryRun: report === null,
      filesRestored: report?.files ?? this.#filesDone,
      foldersRestored: report?.folders ?? this.#counts.folders,
      linksRestored: report?.links ?? this.#counts.links,
      specialsRestored: report?.specials ?? this.#counts.specials,
      bytesRestored: this.#bytesDone - this.#bytesLost,
      bytesReceived: this.#bytesReceived,
      chunksLost: this.#lostChunks.size,
      filesLost: this.#filesLost,
      entriesLost: this.#lost.entryCount,
      filesStale: this.#filesStale,
      filesChangedWhileRead: this.#filesChanged,
      problems: report?.problems ?? null,
      problemSamples: report?.samples ?? [],
      durationMs: performance.now() - this.#startMs,
      failure: this.#failure(report),
    };
  }

  #failure(report: TargetReport | null): CofreError | null {
    const entriesFailure = this.#lost.failure();
    if (entriesFailure !== null) return entriesFailure;
    if (this.#filesLost > 0) return this.#lossFailure();
    const problem = report?.samples.find(({ kind }) => kind === 'not-restored' || kind === 'unsafe-path');
    if (report === null || report.complete || problem === undefined) return null;
    return new CofreError('file_unwritable', {
      file: `/${displayName(problem.path)}`,
      problem: problem.detail,
    });
  }

  /** What is really lost weighs more: of each file its note says which of both it is. */
  #lossFailure(): CofreError {
    const first = `/${displayName(this.#firstLost ?? ('' as ByteString))}`;
    const count = this.#filesLost;
    if (this.#filesOfLaterFormat === count) {
      const what = count === 1 ? first : `The content of ${count} files, the first of them ${first},`;
      return new CofreError('unknown_format', { what, problem: 'everything else was restored' });
    }
    const what = count === 1 ? first : `${count} files, the first is ${first}`;
    // Of what was lost before the backup nobody knows the pieces any more: one a file at least.
    return new CofreError('chunk_missing', { count: Math.max(count, this.#lostChunks.size), what });
  }

  #note(kind: RestoreNote['kind'], path: ByteString, detail = ''): void {
    this.#observer.onNote({ kind, path, detail });
  }
}

/** A reason stands in a catalog that nobody vouches for: only codes are shown as they are. */
function printable(reason: string): string {
  return /^[A-Za-z0-9_-]{1,40}$/.test(reason) ? reason : 'not read';
}
