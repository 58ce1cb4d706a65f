import { setTimeout as sleep } from 'node:timers/promises';
import { byteStringFromText, type ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import type { ChunkId, SessionId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { PathPredicate } from '../source/filters.ts';
import type { AgentContext } from '../state/agent-context.ts';
import type { BackupOptions, BackupProgress, BackupSummary } from './backup.ts';
import { SetCacheWriter, type CachedEntry, type CachedHead } from './cache/set-cache.ts';
import { forgetJournals, keepAsFull } from './cache/set-files.ts';
import { Checkpoints } from './checkpoints.ts';
import { EntryQueue } from './entry-queue.ts';
import { healCatalog } from './heal-catalog.ts';
import { KnownEntries } from './known-entries.ts';
import { openRun, type OpenRun } from './open-run.ts';
import { CHUNK_STATES, ChunkTable, isThere as isThereIn } from './pipeline/chunk-table.ts';
import { buildPipeline, settlePipeline, type Pipeline } from './pipeline/pipeline.ts';
import { WorkerFileStore } from './pipeline/worker-file-store.ts';
import { PreviousEntries } from './previous-entries.ts';
import { learnWhatIsThere, openPreviousRun, type PreviousRun } from './previous-run.ts';
import { endingClient, type RunClient } from './run-client.ts';
import { RunEnding } from './run-ending.ts';
import type { RunPace } from './run-pace.ts';
import type { RunRecord, Traffic } from './run-record.ts';
import { RunSnapshots } from './run-snapshots.ts';
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
  readonly pace: RunPace;
}

/**
 * One try at a snapshot: opens a session, scans the source against the last run's cache, sends what the
 * server lacks, commits. When it fails the next one goes on from its journal, and from what the server has by then.
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
    const { context, options, record } = this.parts;
    this.ending.throwIfEnded();
    const client = endingClient(context.client, this.ending);
    const run = await openRun(context, client, options.setName);
    this.cleanUps.push(async () => await this.leaveSession(run.sessionId));
    // Without it nothing that is sent could ever be opened: there is no use in going on.
    run.keyringStored.catch((error: unknown) => this.ending.fail(error));
    this.keepLease(client, run.sessionId);
    const previous = await openPreviousRun(context, options, run, record.attempts > 1);
    this.cleanUps.push(previous.close);
    const cacheWriter = new SetCacheWriter(previous.files.lastRun, previous.journalFiles.current);
    this.cleanUps.push(() => cacheWriter.leave());
    const pipeline = this.startPipeline(client, run, previous);
    const trustsHead = !previous.kind.readsEverything && !record.doubtsHead;
    await learnWhatIsThere(previous, run.session, this.table, pipeline.deduplicator, trustsHead);
    if (previous.isOfHead && previous.last !== null) {
      await healCatalog(previous.last, run.domain, this.table, pipeline.sealer);
    }
    const scan = this.buildScan(run, pipeline, previous);
    const writer = new SnapshotWriter(run.domain, pipeline.sealer, cacheWriter, this.table);
    const { identity } = context;
    const { table, ending, startedNs } = this;
    const shared = { client, table };
    const snapshots = new RunSnapshots({
      ...shared,
      identity,
      options,
      record,
      run,
      previous,
      ending,
      startedNs,
    });
    await this.scan(
      scan,
      writer,
      new Checkpoints({
        ...shared,
        pace: this.parts.pace,
        kind: previous.kind,
        sessionId: run.sessionId,
        pipeline,
        writer,
        snapshots,
        filesFailed: () => scan.counts.filesFailed,
      }),
    );
    const catalogRoot = await writer.finish();
    await settlePipeline(pipeline);
    this.report('committing', scan, null);
    const statistics = writer.statistics(scan.counts.filesFailed);
    const { snapshotId, refsetState } = await snapshots.commit({ catalogRoot, statistics, isComplete: true });
    this.keepCache(cacheWriter, previous, { snapshotId, refsetState });
    this.report('done', scan, null);
    const { filesNew, filesChanged, filesUnmodified, filesFailed } = scan.counts;
    const files = { filesNew, filesChanged, filesUnmodified, filesFailed };
    const totals = { foldersTotal: statistics.folders, bytesTotal: statistics.bytes };
    const chunksUnverified = this.table.count(CHUNK_STATES.needed | CHUNK_STATES.unverified);
    return { snapshotId, kind: previous.kind.kind, ...files, ...totals, ...this.traffic(), chunksUnverified };
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

  private startPipeline(client: RunClient, run: OpenRun, { kind }: PreviousRun): Pipeline {
    const { identity } = this.parts.context;
    const verifiedWithinMs = kind.readsEverything ? LIMITS.verifiedWithinDefaultMs : undefined;
    const { table, ending } = this;
    const pipeline = buildPipeline({ identity, client, run, table, ending, verifiedWithinMs });
    this.pipeline = pipeline;
    this.cleanUps.push(async () => await pipeline.pool.close());
    return pipeline;
  }

  private async scan(scan: SourceScan, writer: SnapshotWriter, checkpoints: Checkpoints): Promise<void> {
    const { context, options, isExcluded } = this.parts;
    await scanSource({
      options,
      isExcluded,
      ownPaths: [context.stateFolder, context.cacheFolder].map((folder) => byteStringFromText(folder)),
      scan,
      queue: this.queue,
      writer,
      room: async () => await this.pipeline?.pool.room(),
      ending: this.ending,
      onStep: (phase, path) => this.report(phase, scan, path),
      afterStep: async () => await checkpoints.step(),
    });
  }

  /** For the next run. */
  private keepCache(
    cacheWriter: SetCacheWriter,
    { files, kind }: PreviousRun,
    head: Pick<CachedHead, 'snapshotId' | 'refsetState'>,
  ): void {
    const refset = this.table.collect(CHUNK_STATES.needed, CHUNK_STATES.needed);
    cacheWriter.publish(head, refset);
    if (cacheWriter.problem === null) {
      if (kind.kind === 'full') keepAsFull(files);
      forgetJournals(files);
    }
    this.noteCacheProblem(files.lastRun, cacheWriter);
  }

  private traffic(): Traffic {
    const { traffic } = this.parts.record;
    if (this.pipeline === null) return traffic;
    const { pool, sender } = this.pipeline;
    return {
      bytesRead: traffic.bytesRead + pool.bytesRead,
      bytesSent: traffic.bytesSent + sender.sentBytes,
      chunksNew: traffic.chunksNew + sender.sentBlobs - sender.healedBlobs,
      chunksHealed: traffic.chunksHealed + sender.healedBlobs,
    };
  }

  private keepLease(client: RunClient, sessionId: SessionId): void {
    const timer = setInterval(() => {
      // Whatever is looked at from time to time is looked at while a single file takes hours, too.
      this.queue.notify();
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
    const { journal, last, full, kind } = previous;
    const isUsable = (entry: CachedEntry): boolean => this.isUsable(entry);
    const isThere = (chunkId: ChunkId): boolean => isThereIn(this.table.stateOf(chunkId));
    const { readsEverything } = kind;
    const known = new KnownEntries({ journal, last, full, readsEverything, isUsable });
    const entries = new PreviousEntries(known, (entry, reason) => scan.carry(entry, reason));
    const scan: SourceScan = new SourceScan({
      queue: this.queue,
      previous: entries,
      store: new WorkerFileStore(pipeline.pool),
      bundleKey: run.domain.catalogCutKey,
      stale: new StaleEntries({ cache: known, startedNs: this.startedNs, isThere }),
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
      if (chunkId !== lastId && !isThereIn(this.table.stateOf(chunkId))) return false;
      lastId = chunkId;
    }
    return true;
  }

  private report(phase: BackupProgress['phase'], scan: SourceScan, path: ByteString | null): void {
    const { progress } = this.parts.record;
    if (!progress.isDue(phase)) return;
    const { filesDone, filesFound, bytesSeen } = scan.counts;
    const { bytesRead, bytesSent } = this.traffic();
    progress.update(phase, { filesDone, filesFound, bytesRead, bytesSent, bytesSeen }, path);
  }
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
