import { Worker } from 'node:worker_threads';
import { PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import { LIMITS } from '@cofre/shared/limits';
import type { Deduplicator } from './deduplicator.ts';
import { decodeJobResult, type FileResult } from './job-result.ts';
import type { ChunkJob, MessageFromWorker, MessageToWorker, WorkerSetup } from './messages.ts';
import type { PackSender } from './pack-sender.ts';

/** Jobs that a worker holds at once: one waits for an answer while the other is read. */
const JOBS_PER_WORKER = 3;
/** Jobs that wait for a worker, so that none idles while the main thread is busy. */
const QUEUED_JOBS_PER_WORKER = 2;
/** Workers leave room for the garbage of zstd and of the catalog in the agent's memory. */
const WORKER_HEAP_MIB = 48;

interface PoolWorker {
  readonly thread: Worker;
  jobs: number;
  isFlushed: boolean;
}

interface Outstanding {
  readonly resolve: (files: FileResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The chunk workers: they read, cut, name, compress and seal; this side hands out jobs, answers what has to
 * be sent, and passes finished packs on. Threads start with the first job: a run that finds nothing new
 * needs none. Pack buffers travel back and forth and are never more than a fixed number.
 */
export class WorkerPool {
  bytesRead = 0;
  private readonly setup: WorkerSetup;
  private readonly workersMax: number;
  private readonly deduplicator: Deduplicator;
  private readonly sender: PackSender;
  private readonly workers: PoolWorker[] = [];
  private readonly queue: ChunkJob[] = [];
  private readonly outstanding = new Map<number, Outstanding>();
  private readonly freeSlabs: ArrayBuffer[] = [];
  private readonly slabQueue: PoolWorker[] = [];
  private slabCount = 0;
  private wake: (() => void)[] = [];
  private failure: { readonly error: unknown } | null = null;

  constructor(setup: WorkerSetup, workersMax: number, deduplicator: Deduplicator, sender: PackSender) {
    this.setup = setup;
    this.workersMax = workersMax;
    this.deduplicator = deduplicator;
    this.sender = sender;
  }

  /** Resolves with what became of the job's files, in order. */
  async submit(job: ChunkJob): Promise<FileResult[]> {
    return await new Promise((resolve, reject) => {
      this.outstanding.set(job.jobId, { resolve, reject });
      this.queue.push(job);
      if (this.failure === null) this.dispatch();
      else this.fail(this.failure.error);
    });
  }

  /** Resolves when another job may be submitted. */
  async room(): Promise<void> {
    const countMax = this.workersMax * (JOBS_PER_WORKER + QUEUED_JOBS_PER_WORKER);
    while (this.failure === null && this.outstanding.size >= countMax) await this.change();
    if (this.failure !== null) throw this.failure.error;
  }

  /** Has every worker hand over its open pack; resolves when all packs were passed to the sender. */
  async flush(): Promise<void> {
    for (const worker of this.workers) this.post(worker, { kind: 'flush' });
    while (this.failure === null && !this.workers.every((worker) => worker.isFlushed)) await this.change();
    if (this.failure !== null) throw this.failure.error;
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map(async ({ thread }) => await thread.terminate()));
  }

  private dispatch(): void {
    while (this.queue.length > 0) {
      const worker = this.idlestWorker();
      if (worker === null) return;
      const job = this.queue.shift() as ChunkJob;
      worker.jobs += 1;
      this.post(worker, { kind: 'job', job });
    }
  }

  private idlestWorker(): PoolWorker | null {
    let best: PoolWorker | null = null;
    for (const worker of this.workers) {
      if (worker.jobs < JOBS_PER_WORKER && (best === null || worker.jobs < best.jobs)) best = worker;
    }
    const isBusy = best === null || best.jobs > 0;
    return isBusy && this.workers.length < this.workersMax ? this.startWorker() : best;
  }

  private startWorker(): PoolWorker {
    const thread = new Worker(new URL('./chunk.worker.ts', import.meta.url), {
      workerData: this.setup,
      resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MIB, maxYoungGenerationSizeMb: 4 },
    });
    const worker: PoolWorker = { thread, jobs: 0, isFlushed: false };
    thread.on('message', (message: MessageFromWorker) => {
      this.take(worker, message).catch((error: unknown) => this.fail(error));
    });
    thread.on('error', (error) => this.fail(error));
    this.workers.push(worker);
    return worker;
  }

  private async take(worker: PoolWorker, message: MessageFromWorker): Promise<void> {
    switch (message.kind) {
      case 'ask': {
        const send = await this.deduplicator.decide(message.ids);
        this.post(worker, { kind: 'decision', askId: message.askId, send });
        return;
      }
      case 'need-slab':
        this.slabQueue.push(worker);
        this.grantSlabs();
        return;
      case 'pack': {
        const parts = [new Uint8Array(message.buffer, 0, message.usedBytes), message.tail];
        await this.sender.send(parts, message.blobs, () => {
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
    const outstanding = this.outstanding.get(message.jobId);
    this.outstanding.delete(message.jobId);
    outstanding?.resolve(decodeJobResult(message.result));
    this.dispatch();
    this.notify();
  }

  /** One pack is being filled by each worker, and one more travels. */
  private grantSlabs(): void {
    while (this.slabQueue.length > 0) {
      let buffer = this.freeSlabs.pop();
      if (buffer === undefined && this.slabCount <= this.workersMax) {
        buffer = new ArrayBuffer(LIMITS.packBytesTarget + PACK_HEADER_BYTES);
        this.slabCount += 1;
      }
      if (buffer === undefined) return;
      const worker = this.slabQueue.shift() as PoolWorker;
      worker.thread.postMessage({ kind: 'slab', buffer } satisfies MessageToWorker, [buffer]);
    }
  }

  private post(worker: PoolWorker, message: MessageToWorker): void {
    worker.thread.postMessage(message);
  }

  private fail(error: unknown): void {
    this.failure ??= { error };
    for (const { reject } of this.outstanding.values()) reject(this.failure.error);
    this.outstanding.clear();
    this.notify();
  }

  private async change(): Promise<void> {
    await new Promise<void>((resolve) => this.wake.push(resolve));
  }

  private notify(): void {
    const wake = this.wake;
    this.wake = [];
    for (const resolve of wake) resolve();
  }
}
