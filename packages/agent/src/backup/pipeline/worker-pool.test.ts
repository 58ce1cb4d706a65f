import { EventEmitter } from 'node:events';
import { CofreError } from '@cofre/shared/errors';
import { expect, test } from 'vitest';
import { RunEnding } from '../run-ending.ts';
import { ChunkTable } from './chunk-table.ts';
import { Deduplicator } from './deduplicator.ts';
import { encodeJobResult } from './job-result.ts';
import type { BundleJob, MessageFromWorker, MessageToWorker, WorkerSetup } from './messages.ts';
import type { PackSender } from './pack-sender.ts';
import { WorkerPool, type ChunkThread } from './worker-pool.ts';

class FakeThread extends EventEmitter implements ChunkThread {
  readonly messages: MessageToWorker[] = [];
  isTerminated = false;

  postMessage(message: MessageToWorker): void {
    this.messages.push(message);
  }

  say(message: MessageFromWorker): void {
    this.emit('message', message);
  }

  finish(jobId: number): void {
    const result = encodeJobResult([{ kind: 'failed', reason: `job ${jobId}` }]);
    this.say({ kind: 'done', jobId, result, bytesRead: 10 });
  }

  jobs(): number[] {
    return this.messages.flatMap((message) => (message.kind === 'job' ? [message.job.jobId] : []));
  }

  count(kind: MessageToWorker['kind']): number {
    return this.messages.filter((message) => message.kind === kind).length;
  }

  async terminate(): Promise<void> {
    this.isTerminated = true;
    this.emit('exit', 1);
  }
}

function poolWith(workersMax = 2) {
  const threads: FakeThread[] = [];
  const sent: (() => void)[] = [];
  const ending = new RunEnding(new AbortController().signal);
  const sender = {
    send: async (_parts: unknown, _blobs: number, release: () => void) => void sent.push(release),
  } as unknown as PackSender;
  const pool = new WorkerPool({
    setup: {} as WorkerSetup,
    workersMax,
    deduplicator: new Deduplicator(new ChunkTable(), null),
    sender,
    ending,
    startThread: () => {
      const thread = new FakeThread();
      threads.push(thread);
      return thread;
    },
  });
  return { pool, threads, sent, ending };
}

const job = (jobId: number): BundleJob => ({ kind: 'bundle', jobId, files: [] });
const turn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));
const pack = (): MessageFromWorker => {
  return { kind: 'pack', buffer: new ArrayBuffer(64), usedBytes: 32, tail: new Uint8Array(1), blobs: 1 };
};

function submitAll(pool: WorkerPool, count: number): Promise<unknown>[] {
  const jobs = Array.from({ length: count }, async (_, index) => await pool.submit(job(index + 1)));
  for (const submitted of jobs) submitted.catch(() => undefined);
  return jobs;
}

test('threads start with the jobs, and each gets what is done next', async () => {
  const { pool, threads } = poolWith();
  await pool.flush();
  expect(threads).toEqual([]);
  const jobs = submitAll(pool, 8);
  expect(threads.map((thread) => thread.jobs())).toEqual([
    [1, 3, 5],
    [2, 4, 6],
  ]);
  threads[1]?.finish(2);
  expect(await jobs[1]).toEqual([{ kind: 'failed', reason: 'job 2' }]);
  expect(threads[1]?.jobs()).toEqual([2, 4, 6, 7]);
  expect(pool.bytesRead).toBe(10);
});

test('there is room for as many jobs as keep the threads busy', async () => {
  const { pool, threads } = poolWith(1);
  void submitAll(pool, 5);
  const room = pool.room();
  let hasRoom = false;
  void room.then(() => (hasRoom = true));
  await turn();
  expect(hasRoom).toBe(false);
  threads[0]?.finish(1);
  await room;
  expect(hasRoom).toBe(true);
});

test('one buffer a worker and one more go round, first come, first served', async () => {
  const { pool, threads, sent } = poolWith(2);
  void submitAll(pool, 2);
  const [first, second] = threads as [FakeThread, FakeThread];
  for (const thread of [first, second, first, second]) thread.say({ kind: 'need-slab' });
  expect([first.count('slab'), second.count('slab')]).toEqual([2, 1]);
  first.say(pack());
  await turn();
  expect(second.count('slab')).toBe(1);
  sent[0]?.();
  expect(second.count('slab')).toBe(2);
});

test('a flush is over when every thread has handed over its pack', async () => {
  const { pool, threads } = poolWith(2);
  void submitAll(pool, 2);
  const flushed = pool.flush();
  threads[0]?.say({ kind: 'flushed' });
  let isFlushed = false;
  void flushed.then(() => (isFlushed = true));
  await turn();
  expect(isFlushed).toBe(false);
  threads[1]?.say({ kind: 'flushed' });
  await flushed;
  expect(threads.map((thread) => thread.count('flush'))).toEqual([1, 1]);
});

test.each([
  [
    'dies of an error',
    (thread: FakeThread) => thread.emit('error', new Error('out of memory')),
    /out of memory/,
  ],
  ['just ends', (thread: FakeThread) => thread.emit('exit', 7), /ended \(7\)/],
  [
    'says what cannot be read',
    (thread: FakeThread) => thread.emit('messageerror', new Error('no clone')),
    /no clone/,
  ],
])('a thread that %s ends the attempt for everybody who waits', async (_, die, problem) => {
  const { pool, threads, ending } = poolWith(1);
  const jobs = submitAll(pool, 7);
  const waiting = [...jobs, pool.room(), pool.flush()];
  for (const each of waiting) each.catch(() => undefined);
  die(threads[0] as FakeThread);
  for (const each of waiting) {
    await expect(each).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringMatching(problem) as string,
    });
  }
  await expect(pool.submit(job(99))).rejects.toMatchObject({ code: 'internal' });
  expect(ending.hasEnded).toBe(true);
  threads[0]?.finish(1);
  expect(threads[0]?.jobs()).toEqual([1, 2, 3]);
});

test('an error of ours keeps its code on its way from a thread', async () => {
  const { pool, threads, ending } = poolWith(1);
  void submitAll(pool, 1);
  const told = { code: 'unknown_format', parameters: { what: 'A domain record', problem: 'chunker 9' } };
  threads[0]?.emit('error', Object.assign(new Error('…'), told));
  expect(() => ending.throwIfEnded()).toThrow(new CofreError('unknown_format', told.parameters));
});

test('closing ends the threads and is no failure', async () => {
  const { pool, threads, ending } = poolWith(2);
  void submitAll(pool, 2);
  await pool.close();
  expect(threads.map(({ isTerminated }) => isTerminated)).toEqual([true, true]);
  expect(ending.hasEnded).toBe(false);
});
