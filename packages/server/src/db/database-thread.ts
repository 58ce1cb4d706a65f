import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { CofreError } from '@cofre/shared/errors';
import type { ApplianceOperations, OperationName } from './operations.ts';
import { errorFrom, isFatal, type OpeningReply, type OperationReply } from './thread-messages.ts';

type Inputs<Name extends OperationName> = Parameters<ApplianceOperations[Name]>;
type Output<Name extends OperationName> = ReturnType<ApplianceOperations[Name]>;

interface Waiting {
  readonly name: OperationName;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The event loop's end of the database thread. Calls run one after the other, in the order in which they were made.
 * `onFatal` is told once when the file or the thread failed in a way that nothing may be promised after.
 */
export class DatabaseThread {
  readonly #worker: Worker;
  readonly #onFatal: (error: CofreError) => void;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #end: CofreError | null = null;

  private constructor(worker: Worker, onFatal: (error: CofreError) => void) {
    this.#worker = worker;
    this.#onFatal = onFatal;
    worker.on('message', (reply: OperationReply) => this.#settle(reply));
    worker.on('error', (error) => this.#fail(new CofreError('internal', { problem: error.name })));
    worker.on('exit', () => this.#fail(new CofreError('internal', { problem: 'the database thread ended' })));
  }

  /** @throws CofreError `storage_failed` when the file is not a database, or cannot be opened */
  static async open(file: string, onFatal: (error: CofreError) => void): Promise<DatabaseThread> {
    const worker = new Worker(new URL('./appliance.worker.ts', import.meta.url), { workerData: { file } });
    const [reply] = (await once(worker, 'message')) as [OpeningReply];
    if ('failure' in reply) throw errorFrom(reply.failure, 'opening');
    return new DatabaseThread(worker, onFatal);
  }

  /** @throws CofreError as the operation says, else `storage_failed`, `storage_full`, `internal` */
  async call<Name extends OperationName>(name: Name, ...inputs: Inputs<Name>): Promise<Output<Name>> {
    if (this.#end !== null) throw this.#end;
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { name, resolve, reject });
    this.#worker.postMessage({ id, name, inputs });
    return (await promise) as Output<Name>;
  }

  /** Finishes what was asked for, then closes the file; later calls are refused. */
  async close(): Promise<void> {
    if (this.#end !== null) return;
    this.#end = new CofreError('unavailable', { problem: 'it is shutting down' });
    const exited = once(this.#worker, 'exit');
    this.#worker.postMessage('close');
    await exited;
  }

  #settle(reply: OperationReply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    if ('value' in reply) {
      waiting.resolve(reply.value);
      return;
    }
    const error = errorFrom(reply.failure, waiting.name);
    waiting.reject(error);
    if (isFatal(reply.failure)) this.#fail(error);
  }

  #fail(error: CofreError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    if (this.#end !== null) return;
    this.#end = error;
    this.#onFatal(error);
  }
}
