import fs from 'node:fs';
import os from 'node:os';
import { byteStringFromText, type ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import type { Manifest } from '@cofre/shared/format/envelope/manifest';
import { CHUNK_ID_BYTES, type ChunkId, type SnapshotId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { AgentContext } from '../state/agent-context.ts';
import type { BackupObserver, BackupOptions, BackupProgress, BackupSummary } from './backup.ts';
import { SetCacheWriter, setCachePath, type CachedEntry } from './cache/set-cache.ts';
import { commitSnapshot, refsetChange, sealInfo, type RefsetChange } from './commit-snapshot.ts';
import { EntryQueue } from './entry-queue.ts';
import { FailureLog } from './failure-log.ts';
import { openRun, type OpenRun } from './open-run.ts';
import { CHUNK_STATES, type ChunkTable } from './pipeline/chunk-table.ts';
import { buildPipeline, settlePipeline, type Pipeline } from './pipeline/pipeline.ts';
import { WorkerFileStore } from './pipeline/worker-file-store.ts';
import { PreviousEntries } from './previous-entries.ts';
import { openPreviousRun, type PreviousRun } from './previous-run.ts';
import { scanSource } from './scan-source.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import { SourceScan } from './source-scan.ts';

const USABLE = CHUNK_STATES.held | CHUNK_STATES.live | CHUNK_STATES.claimed;
const RENEW_INTERVAL_MS = LIMITS.sessionLeaseMs / 4;
const PROGRESS_INTERVAL_MS = 100;

/** Things to be undone when an attempt ends, the last one first. */
type CleanUp = () => Promise<void> | void;

/**
 * One try at a snapshot: opens a session, scans the source against the last run's cache, sends what the
 * server lacks, commits. Nothing of it is reused when it fails, but what the server has by then.
 */
export class BackupAttempt {
  private readonly context: AgentContext;
  private readonly options: BackupOptions;
  private readonly observer: BackupObserver;
  private readonly signal: AbortSignal;
  private readonly table: ChunkTable;
  private readonly failures: FailureLog;
  private readonly startedNs = nowNs();
  private readonly queue = new EntryQueue();
  private readonly cleanUps: CleanUp[] = [];
  private lastProgressMs = 0;

  constructor(
    context: AgentContext,
    options: BackupOptions,
    observer: BackupObserver,
    signal: AbortSignal,
    table: ChunkTable,
  ) {
    this.context = context;
    this.options = options;
    this.observer = observer;
    this.signal = signal;
    this.table = table;
    this.failures = new FailureLog((failure) => observer.onFailure(failure));
  }

  async perform(): Promise<Omit<BackupSummary, 'durationMs'>> {
    const { cacheFolder, stateFolder } = this.context;
    const run = await openRun(this.context, this.options.setName);
    this.keepLease(run);
    fs.mkdirSync(cacheFolder, { recursive: true, mode: 0o700 });
    const cachePath = setCachePath(cacheFolder, run.setId);
    const cacheWriter = new SetCacheWriter(cachePath);
    this.cleanUps.push(() => cacheWriter.discard());
    const pipeline = buildPipeline(this.context, run, this.table);
    this.cleanUps.push(async () => await pipeline.pool.close());
    const previous = await openPreviousRun(cachePath, run.session, this.table, pipeline.deduplicator);
    this.cleanUps.push(() => previous.cache?.close());
    const scan = this.buildScan(run, pipeline, previous);
    const writer = new SnapshotWriter(run.domain, pipeline.sealer, cacheWriter, this.table);
    await scanSource({
      options: this.options,
      ownPaths: [stateFolder, cacheFolder].map((folder) => byteStringFromText(folder)),
      scan,
      queue: this.queue,
      writer,
      pipeline,
      signal: this.signal,
      onStep: (path) => this.report('sending', scan, pipeline, path),
    });
    const catalogRoot = await writer.finish();
    await settlePipeline(pipeline);
    this.report('committing', scan, pipeline, null, true);
    const change = refsetChange(this.table, headStateOf(previous));
    const statistics = writer.statistics(scan.counts.filesFailed);
    const snapshotId = await this.commit(run, { catalogRoot, statistics, change });
    cacheWriter.publish({
      snapshotId,
      refset: this.table.collect(CHUNK_STATES.needed, CHUNK_STATES.needed),
      refsetState: change.hash.state(),
    });
    this.report('done', scan, pipeline, null, true);
    const { filesNew, filesChanged, filesUnmodified, filesFailed } = scan.counts;
    return {
      snapshotId,
      filesNew,
      filesChanged,
      filesUnmodified,
      filesFailed,
      foldersTotal: statistics.folders,
      bytesTotal: statistics.bytes,
      bytesRead: pipeline.pool.bytesRead,
      bytesSent: pipeline.sender.sentBytes,
      chunksNew: pipeline.sender.sentBlobs,
    };
  }

  /** Ends threads, files and timers, whatever happened. */
  async close(): Promise<void> {
    for (const cleanUp of this.cleanUps.splice(0).reverse()) await cleanUp();
  }

  private keepLease(run: OpenRun): void {
    const timer = setInterval(() => {
      // A lease that could not be renewed shows in the next call, with its reason.
      this.context.client.renewSession(run.sessionId).catch(() => undefined);
    }, RENEW_INTERVAL_MS);
    this.cleanUps.push(() => clearInterval(timer));
  }

  private buildScan(run: OpenRun, pipeline: Pipeline, previous: PreviousRun): SourceScan {
    const entries = new PreviousEntries(previous.cache, (entry, reason) => scan.carry(entry, reason));
    const scan: SourceScan = new SourceScan({
      queue: this.queue,
      previous: entries,
      store: new WorkerFileStore(pipeline.pool),
      bundleKey: run.domain.catalogCutKey,
      startedNs: this.startedNs,
      readsEverything: this.options.kind === 'full',
      isUsable: (entry) => this.isUsable(entry),
      onFailure: (failure) => this.failures.add(failure),
    });
    return scan;
  }

  private isUsable(entry: CachedEntry): boolean {
    let lastId: ChunkId | null = null;
    for (const { chunkId } of entry.slices) {
      if (chunkId !== lastId && (this.table.stateOf(chunkId) & USABLE) === 0) return false;
      lastId = chunkId;
    }
    return true;
  }

  private async commit(
    run: OpenRun,
    made: Pick<Manifest, 'catalogRoot' | 'statistics'> & { readonly change: RefsetChange },
  ): Promise<SnapshotId> {
    const { identity, client } = this.context;
    const { setName, roots, excludes, kind } = this.options;
    const head = run.session.head;
    const info = { setName, hostName: os.hostname(), roots, excludes, failures: this.failures.kept };
    const { hash } = made.change;
    const manifest: Manifest = {
      tenantId: identity.tenantId,
      deviceId: identity.deviceId,
      domainId: run.domain.domainId,
      setId: run.setId,
      sequence: (head?.sequence ?? 0) + 1,
      previous: head?.snapshotId ?? null,
      startedNs: this.startedNs,
      finishedNs: nowNs(),
      kind: head === null ? 'full' : kind,
      base: head?.snapshotId ?? null,
      isComplete: true,
      catalogRoot: made.catalogRoot,
      refset: { count: hash.count, digest: hash.digest().toString('hex') },
      requires: [],
      featuresRequired: [],
      statistics: made.statistics,
      sealedInfo: sealInfo(info, run.domain, run.periodKeys),
    };
    // Everything in the manifest is sealed with this run's key: it has to be durable first.
    await run.keyringStored;
    const outcome = await commitSnapshot(client, run.sessionId, manifest, made.change, identity.signingKey);
    if (outcome.status === 'missing')
      throw new CofreError('missing_chunks', { count: outcome.missing.length });
    return outcome.snapshotId;
  }

  private report(
    phase: BackupProgress['phase'],
    scan: SourceScan,
    pipeline: Pipeline,
    currentPath: ByteString | null,
    isDue = false,
  ): void {
    const now = performance.now();
    if (!isDue && now - this.lastProgressMs < PROGRESS_INTERVAL_MS) return;
    this.lastProgressMs = now;
    const { filesDone, filesFound, bytesSeen } = scan.counts;
    const { bytesRead } = pipeline.pool;
    const bytesSent = pipeline.sender.sentBytes;
    this.observer.onProgress({ phase, filesDone, filesFound, bytesRead, bytesSent, bytesSeen, currentPath });
  }
}

function headStateOf(previous: PreviousRun): { state: Buffer; count: number } | null {
  if (previous.cache === null || !previous.isOfHead) return null;
  const { refsetState, refset } = previous.cache.head;
  return { state: refsetState, count: refset.length / CHUNK_ID_BYTES };
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
