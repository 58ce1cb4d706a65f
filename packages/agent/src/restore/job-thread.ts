import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { KeyPeriod } from '@cofre/shared/crypto/key-period';
import { CofreError } from '@cofre/shared/errors';
import type { KeyPeriodId } from '@cofre/shared/ids';
import type { RunsJobs } from './job-pool.ts';
import type { RestoreJob, RestoreJobResult } from './restore-job.ts';
import {
  errorFromMessage,
  errorMessage,
  type MessageFromThread,
  type MessageToThread,
  type ThreadSettings,
} from './thread-messages.ts';

export interface JobThreadParts {
  readonly settings: ThreadSettings;
  /** Opens a key period with the recovery key. */
  readonly period: (keyPeriodId: KeyPeriodId) => Promise<KeyPeriod>;
}

/** Old space of a thread: what it keeps is small, its buffers are outside. A bound makes V8 collect early. */
const HEAP_MEGABYTES = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 } as const;

/** The main thread's end of a restore thread. */
export class JobThread implements RunsJobs {
  readonly #worker: Worker;
  readonly #parts: JobThreadParts;
  readonly #waiting = new Map<number, PromiseWithResolvers<RestoreJobResult>>();
  #hasEnded = false;

  constructor(parts: JobThreadParts) {
    this.#parts = parts;
    this.#worker = new Worker(new URL('./restore-chunk.worker.ts', import.meta.url), {
      workerData: parts.settings,
      resourceLimits: HEAP_MEGABYTES,
    });
    this.#worker.on('message', (message: MessageFromThread) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(errorFromMessage(errorMessage(error))));
    this.#worker.on('exit', () => {
      this.#hasEnded = true;
      this.#fail(new CofreError('internal', { problem: 'a restore thread ended' }));
    });
  }

  async run(job: RestoreJob): Promise<RestoreJobResult> {
    const waiting = Promise.withResolvers<RestoreJobResult>();
    this.#waiting.set(job.number, waiting);
    this.#post({ kind: 'job', job }, [job.pieces.buffer, job.pieceEnds.buffer]);
    return await waiting.promise;
  }

  async close(): Promise<void> {
    if (this.#hasEnded) return;
    const exited = once(this.#worker, 'exit');
    this.#post({ kind: 'stop' });
    await exited;
  }

  #receive(message: MessageFromThread): void {
    if (message.kind === 'period-wanted') {
      void this.#answer(message.keyPeriodId);
      return;
    }
    const number = message.kind === 'result' ? message.result.number : message.number;
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (message.kind === 'result') waiting?.resolve(message.result);
    else waiting?.reject(errorFromMessage(message.error));
  }

  async #answer(keyPeriodId: KeyPeriodId): Promise<void> {
    const period = await this.#parts.period(keyPeriodId).catch(errorMessage);
    this.#post({ kind: 'period', keyPeriodId, period });
  }

  #post(message: MessageToThread, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #fail(error: CofreError): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
