import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { byteStringFromText, type ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import type { Manifest } from '@cofre/shared/format/envelope/manifest';
import type { ChunkId, SessionId, SnapshotId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { PathPredicate } from '../source/filters.ts';
import type { AgentContext } from '../state/agent-context.ts';
import type { BackupOptions, BackupProgress, BackupSummary } from './backup.ts';
import { SetCacheReader, SetCacheWriter, setCachePath, type CachedEntry } from './cache/set-cache.ts';
import { commitSnapshot, refsetChange, sealInfo, type RefsetChange } from './commit-snapshot.ts';
import { EntryQueue } from './entry-queue.ts';
import { openRun, type OpenRun } from './open-run.ts';
import { CHUNK_STATES, ChunkTable, isThere } from './pipeline/chunk-table.ts';
import { buildPipeline, settlePipeline, type Pipeline } from './pipeline/pipeline.ts';
import { WorkerFileStore } from './pipeline/worker-file-store.ts';
import { PreviousEntries } from './previous-entries.ts';
import { openPreviousRun, type PreviousRun } from './previous-run.ts';
import { endingClient, type RunClient } from './run-client.ts';
import { RunEnding } from './run-ending.ts';
import type { RunRecord, Traffic } from './run-record.ts';
import { scanSource } from './scan-source.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import { SourceScan } from './source-scan.ts';
import { StaleEntries } from './stale-entries.ts';
import { wantedPaths } from './wanted-paths.ts';

const RENEW_INTERVAL_MS = LIMITS.sessionLeaseMs / 4;
/** The server ends sessions by itself: an attempt that is over does not wait long to tell it. */
const LEAVE_MS_MAX = 1000;
/** Failures to renew a lease that may pass before the lease does. */
const PASSING: ReadonlySet<string> = new Set(['server_unreachable', 'unavailable', 'busy']);

/** Things to be undone when an attempt ends, the last one first. */
type CleanUp = () => Promise<void> | void;

export interface AttemptParts {
  readonly context: AgentContext;
  readonly options: BackupOptions;
  readonly isExcluded: PathPredicate;
  readonly record: RunRecord;
  readonly signal: AbortSignal;
}

/**
 * One try at a snapshot: opens a session, scans the source against the last run's cache, sends what the
 * server lacks, commits. Nothing of it is reused when it fails, but what the server has by then.
 */
export class BackupAttempt {
  private readonly parts: AttemptParts;
  private readonly ending: RunEnding;
  private readonly table = new ChunkTable();
  private readonly startedNs = nowNs();
  private readonly queue = new EntryQueue();
  private readonly cleanUps: CleanUp[] = [];
  private pipeline: Pipeline | null = null;

  constructor(parts: AttemptParts) {
    this.parts = parts;
    this.ending = new RunEnding(parts.signal);
    for (const id of parts.record.missing) this.table.mark(id, CHUNK_STATES.missing);
  }

  async perform(): Promise<Omit<BackupSummary, 'durationMs'>> {
    const { context, options, record, isExcluded } = this.parts;
    const { cacheFolder, stateFolder, identity } = context;
    this.ending.throwIfEnded();
    const client = endingClient(context.client, this.ending);
    const run = await openRun(context, client, options.setName);
    this.cleanUps.push(async () => await this.leaveSession(run.sessionId));
    // Without it nothing that is sent could ever be opened: there is no use in going on.
    run.keyringStored.catch((error: unknown) => this.ending.fail(error));
    this.keepLease(client, run.sessionId);
    const cachePath = setCachePath(cacheFolder, run.setId);
    const cacheWriter = new SetCacheWriter(cachePath);
    this.cleanUps.push(() => cacheWriter.discard());
    const cache = SetCacheReader.open(cachePath);
    this.cleanUps.push(() => cache?.close());
    const pipeline = buildPipeline({ identity, client, run, table: this.table, ending: this.ending });
    this.pipeline = pipeline;
    this.cleanUps.push(async () => await pipeline.pool.close());
    const trustsHead = options.kind !== 'full' && !record.doubtsHead;
    const previous = await openPreviousRun(cache, run.session, this.table, pipeline.deduplicator, trustsHead);
    const scan = this.buildScan(run, pipeline, previous);
    const writer = new SnapshotWriter(run.domain, pipeline.sealer, cacheWriter, this.table);
    await scanSource({
      options,
      isExcluded,
      ownPaths: [stateFolder, cacheFolder].map((folder) => byteStringFromText(folder)),
      scan,
      queue: this.queue,
      writer,
      room: async () => await pipeline.pool.room(),
      ending: this.ending,
      onStep: (phase, path) => this.report(phase, scan, path),
    });
    const catalogRoot = await writer.finish();
    await settlePipeline(pipeline);
    this.report('committing', scan, null);
    const change = refsetChange(this.table, record.doubtsHead ? null : headStateOf(previous));
    const statistics = writer.statistics(scan.counts.filesFailed);
    const snapshotId = await this.commit(client, run, { catalogRoot, statistics, change });
    const refset = this.table.collect(CHUNK_STATES.needed, CHUNK_STATES.needed);
    cacheWriter.publish({ snapshotId, refsetState: change.hash.state() }, refset);
    this.noteCacheProblem(cachePath, cacheWriter);
    this.report('done', scan, null);
    const { filesNew, filesChanged, filesUnmodified, filesFailed } = scan.counts;
    const files = { filesNew, filesChanged, filesUnmodified, filesFailed };
    const totals = { foldersTotal: statistics.folders, bytesTotal: statistics.bytes };
    return { snapshotId, ...files, ...totals, ...this.traffic() };
  }

  /** Ends threads, files and timers, whatever happened, and counts what was read and sent. */
  async close(): Promise<void> {
    this.ending.fail(new CofreError('interrupted'));
    this.parts.record.traffic = this.traffic();
    for (const cleanUp of this.cleanUps.splice(0).reverse()) {
      try {
        await cleanUp();
      } catch {
        // What went wrong before is what counts, and the rest has to be cleaned up as well.
      }
    }
  }

  private traffic(): Traffic {
    const { bytesRead, bytesSent, chunksNew } = this.parts.record.traffic;
    if (this.pipeline === null) return { bytesRead, bytesSent, chunksNew };
    const { pool, sender } = this.pipeline;
    return {
      bytesRead: bytesRead + pool.bytesRead,
      bytesSent: bytesSent + sender.sentBytes,
      chunksNew: chunksNew + sender.sentBlobs,
    };
  }

  private keepLease(client: RunClient, sessionId: SessionId): void {
    const timer = setInterval(() => {
      client.renewSession(sessionId).catch((error: unknown) => {
        if (error instanceof CofreError && !PASSING.has(error.code)) this.ending.fail(error);
      });
    }, RENEW_INTERVAL_MS);
    this.cleanUps.push(() => clearInterval(timer));
  }

  /** What the session holds is free again; the server would find out by itself, but later. */
  private async leaveSession(sessionId: SessionId): Promise<void> {
    const leaving = this.parts.context.client.closeSession(sessionId).catch(() => undefined);
    await Promise.race([leaving, sleep(LEAVE_MS_MAX, undefined, { ref: false })]);
  }

  /** The snapshot is made; but the next run has to read everything, and nobody would know why. */
  private noteCacheProblem(cachePath: string, { problem }: SetCacheWriter): void {
    if (problem === null) return;
    const path = byteStringFromText(cachePath.replace(/^\//, ''));
    this.parts.record.failures.add({ path, reason: `cache ${problem}`, isSkip: true });
  }

  private buildScan(run: OpenRun, pipeline: Pipeline, previous: PreviousRun): SourceScan {
    const { options, record, isExcluded } = this.parts;
    const { cache } = previous;
    const isUsable = (entry: CachedEntry): boolean => this.isUsable(entry);
    const entries = new PreviousEntries(cache, (entry, reason) => scan.carry(entry, reason));
    const scan: SourceScan = new SourceScan({
      queue: this.queue,
      previous: entries,
      store: new WorkerFileStore(pipeline.pool),
      bundleKey: run.domain.catalogCutKey,
      stale: new StaleEntries({ cache, startedNs: this.startedNs, isUsable }),
      readsEverything: options.kind === 'full',
      isUsable,
      isWanted: wantedPaths(options.roots, isExcluded),
      onFailure: (failure) => record.failures.add(failure),
      onError: (error) => this.ending.fail(error),
    });
    return scan;
  }

  private isUsable(entry: CachedEntry): boolean {
    let lastId: ChunkId | null = null;
    for (const { chunkId } of entry.slices) {
      if (chunkId !== lastId && !isThere(this.table.stateOf(chunkId))) return false;
      lastId = chunkId;
    }
    return true;
  }

  private async commit(
    client: RunClient,
    run: OpenRun,
    made: Pick<Manifest, 'catalogRoot' | 'statistics'> & { readonly change: RefsetChange },
  ): Promise<SnapshotId> {
    const { context, options, record } = this.parts;
    const { identity } = context;
    const { setName, roots, excludes, kind } = options;
    const head = run.session.head;
    const info = { setName, hostName: os.hostname(), roots, excludes, failures: record.failures.kept };
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
      base: kind === 'full' ? null : (head?.snapshotId ?? null),
      isComplete: true,
      catalogRoot: made.catalogRoot,
      refset: { count: hash.count, digest: hash.digest().toString('hex') },
      requires: [],
      featuresRequired: [],
      statistics: made.statistics,
      sealedInfo: sealInfo(info, run.domain, run.periodKeys),
    };
    // Everything in the manifest is sealed with this run's key: it has to be durable first.
    await this.ending.unlessEnded(run.keyringStored);
    return await commitSnapshot(client, run.sessionId, manifest, made.change, identity.signingKey);
  }

  private report(phase: BackupProgress['phase'], scan: SourceScan, path: ByteString | null): void {
    const { progress } = this.parts.record;
    if (!progress.isDue(phase)) return;
    const { filesDone, filesFound, bytesSeen } = scan.counts;
    const { bytesRead, bytesSent } = this.traffic();
    progress.update(phase, { filesDone, filesFound, bytesRead, bytesSent, bytesSeen }, path);
  }
}

function headStateOf(previous: PreviousRun): { state: Buffer; count: number } | null {
  if (previous.cache === null || !previous.isOfHead) return null;
  const { refsetState, refsetCount } = previous.cache.head;
  return { state: refsetState, count: refsetCount };
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
