import { byteStringFromText } from '@cofre/shared/bytes';
import { domainKeys } from '@cofre/shared/crypto/domain-keys';
import type { AttemptParts } from './backup-attempt.ts';
import type { BackupSummary } from './backup.ts';
import { SetCacheReader } from './cache/set-cache.ts';
import { setFilesIn } from './cache/set-files.ts';
import { EntryQueue } from './entry-queue.ts';
import { EntryTally } from './entry-tally.ts';
import { KnownEntries } from './known-entries.ts';
import { PreviousEntries } from './previous-entries.ts';
import { RunEnding } from './run-ending.ts';
import { NO_TRAFFIC } from './run-record.ts';
import { scanSource } from './scan-source.ts';
import { SourceScan } from './source-scan.ts';
import { StaleEntries } from './stale-entries.ts';
import { UnreadFiles } from './unread-files.ts';
import { wantedPaths } from './wanted-paths.ts';

/**
 * Walks the source and compares it with the last run, as a run would, without asking the server, reading content or
 * leaving a trace: tells which files a run would read, and which of them it could not open.
 */
export async function runDry(parts: AttemptParts): Promise<Omit<BackupSummary, 'durationMs'>> {
  const ending = new RunEnding(parts.signal);
  const { context, options } = parts;
  const { setId } = setOf(parts);
  const { lastRun, lastFull } = setFilesIn(context.cacheFolder, setId);
  const last = SetCacheReader.open(lastRun);
  const full = options.kind === 'differential' ? SetCacheReader.open(lastFull) : null;
  try {
    const queue = new EntryQueue();
    const tally = new EntryTally();
    const scan = buildScan(parts, { last, full }, queue, ending);
    const { stateFolder, cacheFolder } = context;
    const report = (phase: 'scanning' | 'done', path: Parameters<typeof progress.update>[2]): void => {
      if (!progress.isDue(phase)) return;
      const { filesDone, filesFound, bytesSeen } = scan.counts;
      progress.update(phase, { filesDone, filesFound, bytesSeen, bytesRead: 0, bytesSent: 0 }, path);
    };
    const { progress } = parts.record;
    await scanSource({
      options,
      isExcluded: parts.isExcluded,
      ownPaths: [stateFolder, cacheFolder].map((folder) => byteStringFromText(folder)),
      scan,
      queue,
      writer: tally,
      room: async () => ending.throwIfEnded(),
      ending,
      onStep: (_phase, path) => report('scanning', path),
      afterStep: async () => undefined,
    });
    report('done', null);
    const { filesNew, filesChanged, filesUnmodified, filesFailed } = scan.counts;
    const { folders, bytes } = tally.statistics(filesFailed);
    const files = { filesNew, filesChanged, filesUnmodified, filesFailed };
    const nothing = { snapshotId: null, kind: options.kind, ...NO_TRAFFIC, chunksUnverified: 0 };
    return { ...nothing, ...files, foldersTotal: folders, bytesTotal: bytes };
  } finally {
    ending.release();
    last?.close();
    full?.close();
  }
}

function setOf({ context, options }: AttemptParts) {
  const domain = domainKeys(context.identity.domain);
  return { domain, setId: domain.setId(options.setName) };
}

function buildScan(
  parts: AttemptParts,
  caches: { readonly last: SetCacheReader | null; readonly full: SetCacheReader | null },
  queue: EntryQueue,
  ending: RunEnding,
): SourceScan {
  const { options, record, isExcluded } = parts;
  // Whether the server still has what the last run sent, only a session can tell.
  const isUsable = (): boolean => true;
  const startedNs = BigInt(Date.now()) * 1_000_000n;
  const readsEverything =
    options.kind === 'full' || (options.kind === 'differential' && caches.full === null);
  const known = new KnownEntries({ ...caches, journal: null, readsEverything, isUsable });
  const previous = new PreviousEntries(known, (entry, reason) => scan.carry(entry, reason));
  const scan: SourceScan = new SourceScan({
    queue,
    previous,
    stale: new StaleEntries({ cache: known, startedNs, isThere: isUsable }),
    store: new UnreadFiles(),
    bundleKey: setOf(parts).domain.catalogCutKey,
    isUsable,
    isWanted: wantedPaths(options.roots, isExcluded),
    onFailure: (failure) => record.failures.add(failure),
    onError: (error) => ending.fail(error),
  });
  return scan;
}
