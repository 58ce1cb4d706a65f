import { Worker } from 'node:worker_threads';
import { CofreError } from '@cofre/shared/errors';
import { StorageFailure } from '../../platform/storage-failure.ts';
import { checkIndexFile } from './index-check.ts';
import type { OperationInput, OperationName, OperationOutput } from './operations.ts';
import type { ThreadFailure, ThreadReply, ThreadRequest } from './thread-messages.ts';

interface Waiting {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** `Omit` that keeps a union apart. */
type WithoutId<Request> = Request extends unknown ? Omit<Request, 'id'> : never;

class DatabaseThread {
  private readonly worker = new Worker(new URL('./database-thread.worker.ts', import.meta.url));
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private isClosing = false;

  constructor(onFailure: (error: Error) => void) {
    this.worker.on('message', (reply: ThreadReply) => this.settle(reply));
    const fail = (problem: unknown): void => {
      if (this.isClosing) return;
      const error = new StorageFailure('a database thread ended', problem);
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
      onFailure(error);
    };
    this.worker.on('error', fail);
    this.worker.on('exit', (code) => fail(`exit code ${code}`));
  }

  ask(request: WithoutId<ThreadRequest>): Promise<unknown> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...request, id });
    });
  }

  async close(): Promise<void> {
    await this.ask({ kind: 'close' });
    this.isClosing = true;
    await this.worker.terminate();
  }

  private settle(reply: ThreadReply): void {
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (waiting === undefined) return;
    if ('failure' in reply) waiting.reject(errorFrom(reply.failure));
    else waiting.resolve(reply.output);
  }
}

/**
 * A full disk is refused and may pass. After a failed read or write of a database nobody knows whether the commit
 * happened: that stops the process, which recovers at its next start. A damaged index stops its own tenant only.
 */
function errorFrom(failure: ThreadFailure): Error {
  if (failure.kind === 'refused') return new CofreError(failure.code, failure.parameters);
  if (failure.kind === 'other') return new CofreError('internal', { problem: failure.message });
  const problem = `${failure.code}: ${failure.message}`;
  if (failure.code === 'SQLITE_FULL') return new CofreError('storage_full');
  if (failure.code.startsWith('SQLITE_IOERR')) return new StorageFailure(failure.code, failure.message);
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(failure.code)) {
    return new CofreError('damaged', { what: 'The index of a vault', problem });
  }
  if (/^SQLITE_(BUSY|CANTOPEN|NOMEM)/.test(failure.code)) return new CofreError('unavailable', { problem });
  return new CofreError('internal', { problem });
}

/** A few threads that share out all tenants' indexes; each index is opened by one thread only. */
export class DatabasePool {
  private readonly threads: readonly DatabaseThread[];
  private nextForHashing = 0;

  /** @param onFailure hears of a thread that ended by itself */
  constructor(threadCount: number, onFailure: (error: Error) => void) {
    this.threads = Array.from({ length: threadCount }, () => new DatabaseThread(onFailure));
  }

  /**
   * Runs an operation on the index in `file`.
   * @throws CofreError as the operation says, `storage_full`, `storage_failed`; StorageFailure when it can't be known
   *   whether it happened
   */
  async call<Name extends OperationName>(
    file: string,
    name: Name,
    input: OperationInput<Name>,
  ): Promise<OperationOutput<Name>> {
    const output = await this.threadOf(file).ask({ kind: 'call', file, name, input });
    return output as OperationOutput<Name>;
  }

  /** The set hash of packed chunk ids, computed off the event loop. */
  async hashIds(ids: Uint8Array): Promise<Uint8Array> {
    this.nextForHashing = (this.nextForHashing + 1) % this.threads.length;
    const thread = this.threads[this.nextForHashing] as DatabaseThread;
    return (await thread.ask({ kind: 'hash', ids })) as Uint8Array;
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }

  private threadOf(file: string): DatabaseThread {
    let sum = 0;
    for (let place = 0; place < file.length; place++) sum = (sum * 31 + file.charCodeAt(place)) >>> 0;
    return this.threads[sum % this.threads.length] as DatabaseThread;
  }
}

/** The index of one vault, as the rest of the vault asks it: always in its own tenant's file. */
export class VaultIndex {
  private readonly pool: DatabasePool;
  private readonly file: string;

  constructor(pool: DatabasePool, file: string) {
    this.pool = pool;
    this.file = file;
  }

  call<Name extends OperationName>(name: Name, input: OperationInput<Name>): Promise<OperationOutput<Name>> {
    return this.pool.call(this.file, name, input);
  }

  hashIds(ids: Uint8Array): Promise<Uint8Array> {
    return this.pool.hashIds(ids);
  }

  /** What is wrong with the database itself, as far as SQLite sees it; see {@link checkIndexFile}. */
  check(): Promise<string[]> {
    return checkIndexFile(this.file);
  }
}
