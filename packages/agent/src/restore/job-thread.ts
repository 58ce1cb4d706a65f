import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import { CofreError } from '@cofre/shared/errors';
import type { KeyPeriodId } from '@cofre/shared/ids';
import { releaseMemory } from '@cofre/shared/release-memory';
import type { FoundChunk } from './chunk-feed.ts';
import type { JobWorker, JobWriter } from './job-work.ts';
import type { RestoreJob, RestoreJobResult } from './restore-job.ts';
import {
  errorFromMessage,
  errorMessage,
  type MessageFromThread,
  type MessageToThread,
  type ThreadSettings,
} from './thread-messages.ts';

/**
 * Buffers that carry sealed chunks to a thread and come back empty: while one is opened, the other is
 * filled and waits. They grow with the chunks that they meet.
 */
const SLABS = 2;
/** Slabs grow in steps, so that a row of ever larger chunks does not get ever new ones. */
const SLAB_UNIT_BYTES = 512 * 1024;
/** What a thread keeps is small, and its buffers are outside. Bounds make V8 collect early. */
const HEAP_MEGABYTES = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 } as const;

/** The main thread's end of a restore thread. */
export class JobThread implements JobWorker {
  readonly #thread: Worker;
  readonly #results = new Map<number, PromiseWithResolvers<RestoreJobResult>>();
  readonly #periodsSent = new Set<KeyPeriodId>();
  readonly #freeSlabs = Array.from({ length: SLABS }, () => new ArrayBuffer(0));
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
    this.#post({ kind: 'job', job }, [job.pieces.buffer, job.pieceEnds.buffer, job.pieceCounts.buffer]);
    return {
      write: async (chunk) => {
        if (chunk.lost === null) await this.#send(number, chunk);
        else this.#post({ kind: 'lost-chunk', number, reason: chunk.lost });
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

  async #send(number: number, { period, blob }: FoundChunk): Promise<void> {
    const slab = fitting(await this.#nextSlab(), blob.length);
    if (!this.#periodsSent.has(period.keyPeriodId)) {
      this.#periodsSent.add(period.keyPeriodId);
      this.#post({ kind: 'period', period });
    }
    new Uint8Array(slab).set(blob);
    this.#post({ kind: 'chunk', number, slab, lengthBytes: blob.length }, [slab]);
  }

  async #nextSlab(): Promise<ArrayBuffer> {
    for (;;) {
      if (this.#error !== null) throw this.#error;
      const slab = this.#freeSlabs.pop();
      if (slab !== undefined) return slab;
      this.#roomMade ??= Promise.withResolvers<void>();
      await this.#roomMade.promise;
    }
  }

  #receive(message: MessageFromThread): void {
    if (message.kind === 'taken') {
      this.#freeSlabs.push(message.slab);
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

/** The slab, or one that is large enough. */
function fitting(slab: ArrayBuffer, bytes: number): ArrayBuffer {
  if (slab.byteLength >= bytes) return slab;
  releaseMemory(new Uint8Array(slab));
  return new ArrayBuffer(Math.ceil(bytes / SLAB_UNIT_BYTES) * SLAB_UNIT_BYTES);
}
