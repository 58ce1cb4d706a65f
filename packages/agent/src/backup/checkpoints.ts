import { CofreError } from '@cofre/shared/errors';
import { CHUNK_ID_BYTES, type SessionId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { CHUNK_STATES, type ChunkTable } from './pipeline/chunk-table.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import type { RunClient } from './run-client.ts';
import type { RunKind } from './run-kind.ts';
import type { RunPace } from './run-pace.ts';
import type { RunSnapshots } from './run-snapshots.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';

export interface CheckpointsParts {
  readonly pace: RunPace;
  readonly kind: RunKind;
  readonly client: Pick<RunClient, 'have'>;
  readonly sessionId: SessionId;
  readonly pipeline: Pipeline;
  readonly table: ChunkTable;
  readonly writer: SnapshotWriter;
  readonly snapshots: RunSnapshots;
  readonly filesFailed: () => number;
}

/**
 * Makes partial snapshots while a first backup goes on, so that the vault holds what was sent even if nobody goes on
 * for weeks; and ends the session before the server does. Where there is a complete snapshot already none is made: it
 * would have fewer files than that, and the journal of the run is enough to go on.
 */
export class Checkpoints {
  private readonly parts: CheckpointsParts;
  private readonly startedMs = performance.now();
  private lastMs = performance.now();
  private sentBytes = 0;

  constructor(parts: CheckpointsParts) {
    this.parts = parts;
  }

  /**
   * To be called often, when nothing is on its way from the queue into the catalog.
   * @throws CofreError `session_expired` when the run has to go on in another session
   */
  async step(): Promise<void> {
    const { pace, kind, sessionId } = this.parts;
    const isOver = performance.now() - this.startedMs >= pace.sessionMs;
    if (kind.isFirst && (isOver || this.isDue())) await this.make();
    if (isOver) throw new CofreError('session_expired', { session: sessionId });
  }

  private isDue(): boolean {
    const { pace, pipeline } = this.parts;
    const sent = pipeline.sender.sentBytes - this.sentBytes;
    return sent >= pace.checkpointBytes || (sent > 0 && performance.now() - this.lastMs >= pace.checkpointMs);
  }

  private async make(): Promise<void> {
    const { kind, pipeline, table, writer, snapshots, filesFailed } = this.parts;
    this.lastMs = performance.now();
    this.sentBytes = pipeline.sender.sentBytes;
    const statistics = writer.statistics(filesFailed());
    // It would take the place of one that has more.
    if (statistics.files < kind.filesOfCheckpoint) return;
    const { catalogRoot, passing } = await writer.checkpoint();
    for (const id of passing) table.mark(id, CHUNK_STATES.passing);
    await pipeline.pool.flush();
    await pipeline.sender.settledSoFar();
    if (await this.isAllThere()) {
      await snapshots.commit({ catalogRoot, statistics, isComplete: false });
    } else {
      table.changeAll((state) => state & ~CHUNK_STATES.passing);
    }
  }

  /** Of two files with the same piece one can be finished while the worker of the other has not sent it yet. */
  private async isAllThere(): Promise<boolean> {
    const { client, sessionId, table } = this.parts;
    const { needed, passing, claimed, held } = CHUNK_STATES;
    const sent = table.collectWhere(
      (state) => (state & (needed | passing)) !== 0 && (state & (claimed | held)) === claimed,
    );
    const step = LIMITS.haveIdsMax * CHUNK_ID_BYTES;
    for (let start = 0; start < sent.length; start += step) {
      const answers = await client.have(sessionId, sent.subarray(start, start + step));
      if (answers.includes(0)) return false;
    }
    return true;
  }
}
