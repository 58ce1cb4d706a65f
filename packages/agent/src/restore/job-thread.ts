import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import { CofreError } from '@cofre/shared/errors';
import type { KeyPeriodId } from '@cofre/shared/ids';
import type { FedChunk } from './chunk-feed.ts';
import type { JobWorker, JobWriter } from './job-work.ts';
import type { RestoreJob, RestoreJobResult } from './restore-job.ts';
import {
  errorFromMessage,
  errorMessage,
  type MessageFromThread,
  type MessageToThread,
  type ThreadSettings,
} from './thread-messages.ts';

/** Sealed chunks that wait for a thread: it never runs dry, and memory stays small. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
/** What a thread keeps is small, and its buffers are outside. Bounds make V8 collect early. */
const HEAP_MEGABYTES = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 } as const;

/** The main thread's end of a restore thread. */
export class JobThread implements JobWorker {
  readonly #thread: Worker;
  readonly #results = new Map<number, PromiseWithResolvers<RestoreJobResult>>();
  readonly #periodsSent = new Set<KeyPeriodId>();
  #waitingBytes = 0;
  #roomMade: PromiseWithResolvers<void> | null = null;
  #error: CofreError | null = null;
  #hasEnded = false;

  constructor(domain: DomainSecrets) {
    this.#thread = new Worker(new URL('./restore-chunk.worker.ts', import.meta.url), {
      workerData: { domain } satisfies ThreadSettings,
      resourceLimits: HEAP_MEGABYTES,
    });
    this.#thread.on('message', (message: MessageFromThread) => this.#receive(message));
    this.#thread.on('error', (error) => this.#fail(errorFromMessage(errorMessage(error))));
    this.#thread.on('exit', () => {
      this.#hasEnded = true;
      this.#fail(new CofreError('internal', { problem: 'a restore thread ended' }));
    });
  }

  begin(job: RestoreJob): JobWriter {
    const { number } = job;
    const result = Promise.withResolvers<RestoreJobResult>();
    // It may fail while nobody waits for it yet; whoever waits then is told.
    result.promise.catch(() => {});
    this.#results.set(number, result);
    this.#post({ kind: 'job', job }, [job.pieces.buffer, job.pieceEnds.buffer]);
    return {
      write: async (chunk) => {
        await this.#waitForRoom();
        this.#send(number, chunk);
      },
      end: async () => {
        if (this.#error !== null) throw this.#error;
        this.#post({ kind: 'end', number });
        return await result.promise;
      },
    };
  }

  async close(): Promise<void> {
    this.#fail(new CofreError('interrupted'));
    if (this.#hasEnded) return;
    const exited = once(this.#thread, 'exit');
    this.#post({ kind: 'stop' });
    await exited;
  }

  #send(number: number, chunk: FedChunk): void {
    if (chunk.lost !== null) {
      this.#post({ kind: 'chunk', number, chunk: chunk.lost });
      return;
    }
    const { period, blob } = chunk;
    if (!this.#periodsSent.has(period.keyPeriodId)) {
      this.#periodsSent.add(period.keyPeriodId);
      this.#post({ kind: 'period', period });
    }
    const copy = new Uint8Array(blob);
    this.#waitingBytes += copy.length;
    this.#post({ kind: 'chunk', number, chunk: copy }, [copy.buffer]);
  }

  async #waitForRoom(): Promise<void> {
    while (this.#waitingBytes > WAITING_BYTES_MAX && this.#error === null) {
      this.#roomMade ??= Promise.withResolvers<void>();
      await this.#roomMade.promise;
    }
    if (this.#error !== null) throw this.#error;
  }

  #receive(message: MessageFromThread): void {
    if (message.kind === 'taken') {
      this.#waitingBytes -= message.bytes;
      this.#wake();
    } else if (message.kind === 'result') {
      this.#results.get(message.result.number)?.resolve(message.result);
      this.#results.delete(message.result.number);
    } else this.#fail(errorFromMessage(message.error));
  }

  #post(message: MessageToThread, transfer: ArrayBuffer[] = []): void {
    this.#thread.postMessage(message, transfer);
  }

  /** One job that fails ends the restore, so all do. */
  #fail(error: CofreError): void {
    this.#error ??= error;
    for (const result of this.#results.values()) result.reject(error);
    this.#results.clear();
    this.#wake();
  }

  #wake(): void {
    this.#roomMade?.resolve();
    this.#roomMade = null;
  }
}
