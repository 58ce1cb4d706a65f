import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { CofreError } from '@cofre/shared/errors';

/**
 * Has SQLite look through a whole database for what no commit of it can have written. It runs on a thread and a
 * connection of its own that only reads: a large database takes seconds, and the thread that others wait for goes on.
 * Meanwhile the log of the database grows by what is committed, and is cut afterwards.
 * @returns what is wrong, nothing when all is well
 */
export async function checkIndexFile(file: string): Promise<string[]> {
  const worker = new Worker(new URL('./index-check.worker.ts', import.meta.url), { workerData: { file } });
  try {
    const [problems] = (await once(worker, 'message')) as [string[]];
    return problems;
  } catch (cause) {
    throw new CofreError('unavailable', { problem: 'the check of a database ended early' }, { cause });
  } finally {
    await worker.terminate();
  }
}
