import { Worker } from 'node:worker_threads';
import { CofreError, isErrorCode, type ErrorParameters } from '@cofre/shared/errors';
import { PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import { LIMITS } from '@cofre/shared/limits';
import type { RunEnding } from '../run-ending.ts';
import { boundArenas } from './bound-arenas.ts';
import type { Deduplicator } from './deduplicator.ts';
import { decodeJobResult, type FileResult } from './job-result.ts';
import type { ChunkJob, MessageFromWorker, MessageToWorker, WorkerSetup } from './messages.ts';
import type { PackSender } from './pack-sender.ts';

/** Jobs that a worker holds at once: one waits for an answer while the other is read. */
const JOBS_PER_WORKER = 3;
/** Jobs that wait for a worker, so that none idles while the main thread is busy. */
const QUEUED_JOBS_PER_WORKER = 2;
/**
 * Leaves room for the catalog in the memory of the agent. Not lower: a thread that has half of this in buffers runs a
 * full collection every tenth of a second, which was a third of the time of a first backup.
 */
const WORKER_HEAP_MIB = 64;

interface PoolWorker {
  readonly thread: ChunkThread;
  jobs: number;
  isFlushed: boolean;
}

/** What the pool needs of a thread. */
export interface ChunkThread {
  postMessage(message: MessageToWorker, transfer?: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (message: MessageFromWorker) => void): unknown;
  on(event: 'error' | 'messageerror', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (exitCode: number) => void): unknown;
  terminate(): Promise<unknown>;
}

export type StartThread = (setup: WorkerSetup) => ChunkThread;

/** Threads of {@link file://./chunk.worker.ts}. */
export const startChunkThread: StartThread = (setup) => {
  boundArenas();
  return new Worker(new URL('./chunk.worker.ts', import.meta.url), {
    workerData: setup,
    resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MIB, maxYoungGenerationSizeMb: 4 },
  });
};

export interface WorkerPoolParts {
  readonly setup: WorkerSetup;
  readonly workersMax: number;
  readonly deduplicator: Deduplicator;
  readonly sender: PackSender;
  readonly ending: RunEnding;
  readonly startThread: StartThread;
}

/**
 * The chunk workers: they read, cut, name, compress and seal; this side hands out jobs, answers what has to
 * be sent, and passes finished packs on. Threads start with the first job: a run that finds nothing new
 * needs none. Pack buffers travel back and forth and are never more than a fixed number. A thread that dies ends
 * the attempt: what it had claimed would be sent by nobody.
 */
export class WorkerPool {
  bytesRead = 0;
  private readonly parts: WorkerPoolParts;
  private readonly workers: PoolWorker[] = [];
  private readonly queue: ChunkJob[] = [];
  private readonly outstanding = new Map<number, (files: FileResult[]) => void>();
  private readonly freeSlabs: ArrayBuffer[] = [];
  private readonly slabQueue: PoolWorker[] = [];
  private slabCount = 0;
  private wake: (() => void)[] = [];
  private isClosing = false;

  constructor(parts: WorkerPoolParts) {
    this.parts = parts;
  }

  /** Resolves with what became of the job's files, in order. */
  async submit(job: ChunkJob): Promise<FileResult[]> {
    this.parts.ending.throwIfEnded();
    const result = new Promise<FileResult[]>((resolve) => this.outstanding.set(job.jobId, resolve));
    this.queue.push(job);
    this.dispatch();
    return await this.parts.ending.unlessEnded(result);
  }

  /** Resolves when another job may be submitted. */
  async room(): Promise<void> {
    const countMax = this.parts.workersMax * (JOBS_PER_WORKER + QUEUED_JOBS_PER_WORKER);
    await this.until(() => this.outstanding.size < countMax);
  }

  /** Has every worker hand over its open pack; resolves when all packs were passed to the sender. */
  async flush(): Promise<void> {
    const workers = [...this.workers];
    for (const worker of workers) {
      worker.isFlushed = false;
      worker.thread.postMessage({ kind: 'flush' });
    }
    await this.until(() => workers.every((worker) => worker.isFlushed));
  }

  async close(): Promise<void> {
    this.isClosing = true;
    await Promise.all(this.workers.map(async ({ thread }) => await thread.terminate()));
  }

  private dispatch(): void {
    while (this.queue.length > 0 && !this.parts.ending.hasEnded) {
      const worker = this.idlestWorker();
      if (worker === null) return;
      const job = this.queue.shift() as ChunkJob;
      worker.jobs += 1;
      worker.thread.postMessage({ kind: 'job', job });
    }
  }

  private idlestWorker(): PoolWorker | null {
    let best: PoolWorker | null = null;
    for (const worker of this.workers) {
      if (worker.jobs < JOBS_PER_WORKER && (best === null || worker.jobs < best.jobs)) best = worker;
    }
    const isBusy = best === null || best.jobs > 0;
    return isBusy && this.workers.length < this.parts.workersMax ? this.startWorker() : best;
  }

  private startWorker(): PoolWorker {
    const { setup, startThread, ending } = this.parts;
    const thread = startThread(setup);
    const worker: PoolWorker = { thread, jobs: 0, isFlushed: false };
    thread.on('message', (message) => {
      this.take(worker, message).catch((error: unknown) => ending.fail(error));
    });
    thread.on('error', (error) => ending.fail(errorOfThread(error)));
    thread.on('messageerror', (error) => ending.fail(errorOfThread(error)));
    thread.on('exit', (exitCode) => {
      if (!this.isClosing) ending.fail(errorOfThread(new Error(`a chunk worker ended (${exitCode})`)));
    });
    this.workers.push(worker);
    return worker;
  }

  private async take(worker: PoolWorker, message: MessageFromWorker): Promise<void> {
    switch (message.kind) {
      case 'ask': {
        const send = await this.parts.deduplicator.decide(message.ids);
        worker.thread.postMessage({ kind: 'decision', askId: message.askId, send });
        return;
      }
      case 'need-slab':
        this.slabQueue.push(worker);
        this.grantSlabs();
        return;
      case 'pack': {
        const parts = [new Uint8Array(message.buffer, 0, message.usedBytes), message.tail];
        await this.parts.sender.send(parts, message.blobs, () => {
          this.freeSlabs.push(message.buffer);
          this.grantSlabs();
        });
        return;
      }
      case 'done':
        this.finishJob(worker, message);
        return;
      case 'flushed':
        worker.isFlushed = true;
        this.notify();
    }
  }

  private finishJob(worker: PoolWorker, message: Extract<MessageFromWorker, { kind: 'done' }>): void {
    worker.jobs -= 1;
    this.bytesRead += message.bytesRead;
    const resolve = this.outstanding.get(message.jobId);
    this.outstanding.delete(message.jobId);
    resolve?.(decodeJobResult(message.result));
    this.dispatch();
    this.notify();
  }

  /** One pack is being filled by each worker, and one more travels. */
  private grantSlabs(): void {
    while (this.slabQueue.length > 0) {
      let buffer = this.freeSlabs.pop();
      if (buffer === undefined && this.slabCount <= this.parts.workersMax) {
        buffer = new ArrayBuffer(LIMITS.packBytesTarget + PACK_HEADER_BYTES);
        this.slabCount += 1;
      }
      if (buffer === undefined) return;
      const worker = this.slabQueue.shift() as PoolWorker;
      worker.thread.postMessage({ kind: 'slab', buffer }, [buffer]);
    }
  }

  private async until(isReached: () => boolean): Promise<void> {
    this.parts.ending.throwIfEnded();
    while (!isReached()) {
      await this.parts.ending.unlessEnded(new Promise<void>((resolve) => this.wake.push(resolve)));
    }
  }

  private notify(): void {
    for (const resolve of this.wake.splice(0)) resolve();
  }
}

/** An error loses its class on its way between threads, but not what it says. */
function errorOfThread(error: unknown): CofreError {
  if (error instanceof CofreError) return error;
  const { code, parameters } = error as { code?: unknown; parameters?: ErrorParameters };
  if (typeof code === 'string' && isErrorCode(code))
    return new CofreError(code, parameters, { cause: error });
  const problem = error instanceof Error ? error.message : String(error);
  return new CofreError('internal', { problem }, { cause: error });
}
