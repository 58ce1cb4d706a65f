import type { RestoreJob, RestoreJobResult } from './restore-job.ts';

/** Something that runs jobs: a thread, or this one. */
export interface RunsJobs {
  /** Several jobs may run at once. Rejects with what ends the restore. */
  run(job: RestoreJob): Promise<RestoreJobResult>;
  /** Ends the jobs that still run (they reject, and leave nothing incomplete), then itself. */
  close(): Promise<void>;
}

/** While one job is written, the chunks of the next are on their way. */
const JOBS_PER_RUNNER = 2;

/** Shares jobs out. What ends the restore is thrown by the next call of anything but `close`. */
export class JobPool {
  readonly #runners: readonly { readonly runner: RunsJobs; jobs: number }[];
  readonly #onResult: (result: RestoreJobResult) => void;
  #jobsRunning = 0;
  #error: Error | null = null;
  #roomMade: PromiseWithResolvers<void> | null = null;

  /** @param onResult called once for each job that was run to its end; what it throws ends the restore */
  constructor(runners: readonly RunsJobs[], onResult: (result: RestoreJobResult) => void) {
    this.#runners = runners.map((runner) => ({ runner, jobs: 0 }));
    this.#onResult = onResult;
  }

  /** Jobs that may be under way at once. */
  get jobsMax(): number {
    return this.#runners.length * JOBS_PER_RUNNER;
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

  /** Ends all runners and waits until none of them writes any more. */
  async close(): Promise<void> {
    await Promise.all(this.#runners.map(({ runner }) => runner.close()));
  }

  /** Makes every waiting and later call throw `error`. */
  fail(error: unknown): void {
    this.#error ??= error instanceof Error ? error : new Error(String(error));
    this.#wake();
  }

  async #run(job: RestoreJob): Promise<void> {
    const idlest = this.#runners.reduce((best, candidate) => (candidate.jobs < best.jobs ? candidate : best));
    idlest.jobs += 1;
    this.#jobsRunning += 1;
    try {
      this.#onResult(await idlest.runner.run(job));
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
