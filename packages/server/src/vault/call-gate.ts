import { CofreError } from '@cofre/shared/errors';
import { NameTaken } from '../platform/durable-files.ts';
import { isOutOfSpace, StorageFailure } from '../platform/storage-failure.ts';

/**
 * Every call of a vault passes here. It closes for good when the storage can't be believed any more: from then on
 * everything is refused and main is told to exit. What was acknowledged before stays true; nothing after is.
 */
export class CallGate {
  private failure: CofreError | null = null;
  private isClosed = false;
  private running = 0;
  private onIdle: (() => void) | null = null;
  private readonly onFatal: (error: CofreError) => void;

  constructor(onFatal: (error: CofreError) => void) {
    this.onFatal = onFatal;
  }

  /** Runs a call; failures of the storage come out as CofreErrors. */
  async run<Result>(call: () => Promise<Result>): Promise<Result> {
    this.enter();
    try {
      const result = await call();
      // What went well while something else failed for good is not acknowledged either.
      if (this.failure !== null) throw this.failure;
      return result;
    } catch (error) {
      throw this.translate(error);
    } finally {
      this.leave();
    }
  }

  /** The same for a call that gives many results; it runs until the consumer has seen or left them. */
  async *iterate<Item>(call: () => AsyncIterable<Item>): AsyncGenerator<Item> {
    this.enter();
    try {
      yield* call();
    } catch (error) {
      throw this.translate(error);
    } finally {
      this.leave();
    }
  }

  /** Refuses later calls, and resolves when those that are running have ended. */
  async close(): Promise<void> {
    this.isClosed = true;
    if (this.running === 0) return;
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
    });
  }

  /** Whether it makes no sense to clean up any more. */
  get hasFailed(): boolean {
    return this.failure !== null;
  }

  stop(error: StorageFailure): CofreError {
    if (this.failure === null) {
      this.failure = new CofreError('storage_failed', { problem: error.message }, { cause: error });
      this.onFatal(this.failure);
    }
    return this.failure;
  }

  private translate(error: unknown): unknown {
    if (error instanceof StorageFailure) return this.stop(error);
    if (isOutOfSpace(error)) return new CofreError('storage_full', {}, { cause: error });
    if (error instanceof NameTaken) {
      return new CofreError('unavailable', { problem: 'the store holds unknown files' }, { cause: error });
    }
    return error;
  }

  private enter(): void {
    if (this.failure !== null) throw this.failure;
    if (this.isClosed) throw new CofreError('unavailable', { problem: 'the server is stopping' });
    this.running += 1;
  }

  private leave(): void {
    this.running -= 1;
    if (this.running === 0) this.onIdle?.();
  }
}
