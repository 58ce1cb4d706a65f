import { fileURLToPath } from 'node:url';
import Bree from 'bree';
import type { Log } from '../log.ts';
import { JOB_NAMES, MAINTENANCE_JOBS, type JobName, type JobTimes } from './maintenance-jobs.ts';

/** The work of each job: stops soon when the signal says so, and is safe to repeat. */
export type MaintenanceTasks = Record<JobName, (signal: AbortSignal) => Promise<void>>;

const TURN = fileURLToPath(new URL('./maintenance-turn.worker.ts', import.meta.url));

/** Runs the appliance's own jobs at their times, each of them once at a time. */
export class Maintenance {
  private readonly tasks: MaintenanceTasks;
  private readonly log: Log;
  private readonly bree: Bree;
  private readonly stopping = new AbortController();
  private readonly running = new Set<Promise<void>>();

  /** @param times of each job, for tests */
  constructor(tasks: MaintenanceTasks, log: Log, times: Record<JobName, JobTimes> = MAINTENANCE_JOBS) {
    this.tasks = tasks;
    this.log = log;
    this.bree = new Bree({
      root: false,
      logger: false,
      acceptedExtensions: ['.js', '.mjs', '.ts'],
      jobs: JOB_NAMES.map((name) => ({
        name,
        path: TURN,
        timeout: times[name].firstAfterMs,
        interval: times[name].everyMs,
      })),
      workerMessageHandler: ({ name, message }) => {
        if (message === 'due') this.take(name as JobName);
      },
      errorHandler: (error, { name }) => {
        const problem = error instanceof Error ? error.message : String(error);
        log.error({ job: name, problem }, 'a maintenance job could not start');
      },
    });
  }

  start(): Promise<void> {
    return this.bree.start();
  }

  /** Lets what runs come to its next resting place; later turns are not begun. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
    await this.bree.stop();
  }

  private take(name: JobName): void {
    if (this.stopping.signal.aborted) return;
    const turn = this.runTurn(name).finally(() => {
      this.running.delete(turn);
      this.bree.workers.get(name)?.postMessage('finished');
    });
    this.running.add(turn);
  }

  /** A job that failed is tried again at its next turn; the log has why. */
  private async runTurn(name: JobName): Promise<void> {
    const startedMs = performance.now();
    try {
      await this.tasks[name](this.stopping.signal);
      this.log.info({ job: name, durationMs: Math.round(performance.now() - startedMs) }, 'maintenance done');
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      const problem = error instanceof Error ? error.message : String(error);
      this.log.error({ job: name, problem }, 'maintenance failed');
    }
  }
}
