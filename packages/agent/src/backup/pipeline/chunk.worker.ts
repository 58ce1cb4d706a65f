import { parentPort, workerData } from 'node:worker_threads';
import { domainKeys } from '@cofre/shared/crypto/domain-keys';
import { periodKeys } from '@cofre/shared/crypto/key-period';
import { CHUNK_ID_BYTES, type ChunkId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { createChunker, type Chunker } from '../../chunker/chunker.ts';
import { chunkerParameters } from './chunker-settings.ts';
import { encodeJobResult, type FileResult } from './job-result.ts';
import type { ChunkJob, MessageFromWorker, MessageToWorker, WorkerSetup } from './messages.ts';
import { storeBundle, storeSegment, type StoredJob } from './store-files.ts';
import { WorkerPacks } from './worker-packs.ts';

/**
 * A thread that reads, cuts, names, compresses and seals. Two jobs are under way at once, each with a slab of
 * its own: while one waits to hear what has to be sent, the other one works.
 */
const LANES = 2;

if (parentPort === null) throw new Error('this module is a worker');
const port = parentPort;
const setup = workerData as WorkerSetup;
const domain = domainKeys(withBuffers(setup.domain));
const packs = new WorkerPacks(port, domain, periodKeys(withBuffers(setup.period)));
const parameters = chunkerParameters(domain.chunker);
const idleChunkers: Chunker[] = [];
const queue: ChunkJob[] = [];
const questions = new Map<number, (send: Uint8Array) => void>();
let chunkersMade = 0;
let lastAskId = 0;

port.on('message', (message: MessageToWorker) => {
  switch (message.kind) {
    case 'job':
      queue.push(message.job);
      startJobs();
      break;
    case 'decision':
      questions.get(message.askId)?.(message.send);
      questions.delete(message.askId);
      break;
    case 'slab':
      packs.accept(message.buffer);
      break;
    case 'flush':
      packs.close();
      post({ kind: 'flushed' });
  }
});

function startJobs(): void {
  while (queue.length > 0) {
    const chunker = takeChunker();
    if (chunker === null) return;
    void runJob(queue.shift() as ChunkJob, chunker);
  }
}

/** What throws here ends the thread, and with it the run: nothing half done may look finished. */
async function runJob(job: ChunkJob, chunker: Chunker): Promise<void> {
  const stored: StoredJob =
    job.kind === 'bundle'
      ? await storeBundle(job.files, chunker, takeChunks)
      : await storeSegment(job.file, job.extents, chunker, takeChunks);
  const files: readonly FileResult[] = stored.files;
  const result = encodeJobResult(files);
  post({ kind: 'done', jobId: job.jobId, result, bytesRead: stored.bytesRead });
  idleChunkers.push(chunker);
  startJobs();
}

async function takeChunks(chunks: readonly Uint8Array[]): Promise<readonly ChunkId[]> {
  const ids = chunks.map((chunk) => domain.dataId(chunk));
  const send = await ask(ids);
  for (const [index, chunk] of chunks.entries()) {
    if (send[index] === 1) await packs.put(ids[index] as ChunkId, chunk);
  }
  return ids;
}

async function ask(ids: readonly ChunkId[]): Promise<Uint8Array> {
  const bytes = Buffer.alloc(ids.length * CHUNK_ID_BYTES);
  for (const [index, id] of ids.entries()) bytes.write(id, index * CHUNK_ID_BYTES, 'hex');
  const askId = ++lastAskId;
  return await new Promise((resolve) => {
    questions.set(askId, resolve);
    post({ kind: 'ask', askId, ids: bytes });
  });
}

function takeChunker(): Chunker | null {
  const idle = idleChunkers.pop();
  if (idle !== undefined) return idle;
  if (chunkersMade === LANES) return null;
  chunkersMade += 1;
  return createChunker(domain.chunkerKey, parameters, LIMITS.bundleBytesMax);
}

function post(message: MessageFromWorker): void {
  port.postMessage(message);
}

/** Buffers arrive from another thread as plain byte arrays. */
function withBuffers<Type extends object>(value: Type): Type {
  const entries = Object.entries(value).map(([name, field]) => [
    name,
    field instanceof Uint8Array ? Buffer.from(field) : (field as unknown),
  ]);
  return Object.fromEntries(entries) as Type;
}
