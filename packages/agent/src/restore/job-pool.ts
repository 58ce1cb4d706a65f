import type { ChunkFeed } from './chunk-feed.ts';
import type { JobWorker } from './job-work.ts';
import type { RestoreJob, RestoreJobResult } from './restore-job.ts';

/** Jobs beyond one for each worker: the first chunks of the next one are on their way when one ends. */
const JOBS_AHEAD = 1;

/**
 * Shares jobs out to workers and brings them their chunks. What ends the restore is thrown by the next call
 * of anything but `close`.
 */
export class JobPool {
  readonly #feed: ChunkFeed;
  readonly #workers: readonly { readonly worker: JobWorker; jobs: number }[];
  readonly #onResult: (result: RestoreJobResult) => void;
  #jobsRunning = 0;
  #error: Error | null = null;
  #roomMade: PromiseWithResolvers<void> | null = null;

  /** @param onResult called once for each job that was done to its end; what it throws ends the restore */
  constructor(feed: ChunkFeed, workers: readonly JobWorker[], onResult: (result: RestoreJobResult) => void) {
    this.#feed = feed;
    this.#workers = workers.map((worker) => ({ worker, jobs: 0 }));
    this.#onResult = onResult;
  }

  /** Jobs that may be under way at once. */
  get jobsMax(): number {
    return this.#workers.length + JOBS_AHEAD;
  }

  /** Resolves when the job was begun, which waits for room. */
  async submit(job: RestoreJob): Promise<void> {
    await this.#waitUntilBelow(this.jobsMax);
    void this.#run(job);
  }

  /** Resolves when every job is done. */
  async drain(): Promise<void> {
    await this.#waitUntilBelow(1);
  }

  /** Ends all workers and waits until none of them writes any more. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map(async ({ worker }) => worker.close()));
  }

  /** Makes every waiting and later call throw `error`. */
  fail(error: unknown): void {
    this.#error ??= error instanceof Error ? error : new Error(String(error));
    this.#wake();
  }

  async #run(job: RestoreJob): Promise<void> {
    const idlest = this.#workers.reduce((best, candidate) => (candidate.jobs < best.jobs ? candidate : best));
    idlest.jobs += 1;
    this.#jobsRunning += 1;
    try {
      const writer = idlest.worker.begin(job);
      for await (const chunk of this.#feed.chunks(job.chunkIds)) {
        if (this.#error !== null) return;
        await writer.write(chunk);
      }
      this.#onResult(await writer.end());
    } catch (error) {
      this.fail(error);
    } finally {
      idlest.jobs -= 1;
      this.#jobsRunning -= 1;
      this.#wake();
    }
  }

  async #waitUntilBelow(jobs: number): Promise<void> {
    while (this.#jobsRunning >= jobs && this.#error === null) {
      this.#roomMade ??= Promise.withResolvers<void>();
      await this.#roomMade.promise;
    }
    if (this.#error !== null) throw this.#error;
  }

  #wake(): void {
    this.#roomMade?.resolve();
    this.#roomMade = null;
  }
}
