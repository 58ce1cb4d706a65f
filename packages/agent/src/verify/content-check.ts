import type { ChunkId } from '@cofre/shared/ids';
import type { ChunkFeed } from '../restore/chunk-feed.ts';
import { JobPool } from '../restore/job-pool.ts';
import type { JobWorker } from '../restore/job-work.ts';
import type { LostReason, RestoreJobResult } from '../restore/restore-job.ts';
import { CompactIdSet } from './compact-id-set.ts';
import type { VerifyTally } from './verify-tally.ts';

/** Chunks of one job: some hundred MiB of content. */
const CHUNKS_PER_JOB = 128;

/** Fetches and opens each chunk of a domain once: jobs of a restore that write nothing. */
export class ContentCheck {
  readonly lost = new Map<ChunkId, LostReason>();
  readonly #tally: VerifyTally;
  readonly #pool: JobPool;
  readonly #seen = new CompactIdSet();
  readonly #jobSizes = new Map<number, number>();
  #waiting: ChunkId[] = [];
  #jobNumber = 0;

  constructor(feed: ChunkFeed, workers: readonly JobWorker[], tally: VerifyTally) {
    this.#pool = new JobPool(feed, workers, (result) => this.#takeResult(result));
    this.#tally = tally;
  }

  add(chunkId: ChunkId): void {
    if (this.#seen.add(chunkId)) this.#waiting.push(chunkId);
  }

  /** Hands out what was added; waits while enough is under way. */
  async read(): Promise<void> {
    while (this.#waiting.length >= CHUNKS_PER_JOB) await this.#submit();
  }

  /** Reads the rest. Afterwards {@link lost} is complete. */
  async finish(): Promise<void> {
    while (this.#waiting.length > 0) await this.#submit();
    await this.#pool.drain();
  }

  fail(error: Error): void {
    this.#pool.fail(error);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #submit(): Promise<void> {
    const chunkIds = this.#waiting.slice(0, CHUNKS_PER_JOB);
    this.#waiting = this.#waiting.slice(CHUNKS_PER_JOB);
    const number = this.#jobNumber++;
    this.#jobSizes.set(number, chunkIds.length);
    await this.#pool.submit({
      number,
      chunkIds,
      pieceEnds: new Uint32Array(chunkIds.length),
      pieces: new Float64Array(0),
      places: [],
      pieceCounts: new Uint32Array(0),
      openFiles: new Map(),
    });
  }

  #takeResult({ number, bytesReceived, lostChunks }: RestoreJobResult): void {
    for (const { chunkId, reason } of lostChunks) this.lost.set(chunkId, reason);
    this.#tally.chunksRead(this.#jobSizes.get(number) ?? 0, bytesReceived);
    this.#jobSizes.delete(number);
  }
}
