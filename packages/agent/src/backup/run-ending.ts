import { CofreError } from '@cofre/shared/errors';

/**
 * Ends an attempt before its time. Any part that fails says so here, the user's signal does too, and the first word
 * counts. Whoever waits for something waits through {@link unlessEnded}, so that nothing goes on, and nobody waits,
 * for what will not come any more.
 */
export class RunEnding {
  private readonly signal: AbortSignal;
  private readonly waiting = new Set<(error: unknown) => void>();
  private ended: { readonly error: unknown } | null = null;
  private readonly interrupt = (): void => this.fail(new CofreError('interrupted'));

  constructor(signal: AbortSignal) {
    this.signal = signal;
    if (signal.aborted) this.interrupt();
    else signal.addEventListener('abort', this.interrupt, { once: true });
  }

  get hasEnded(): boolean {
    return this.ended !== null;
  }

  /** Ends the attempt with this error, unless it has ended already. */
  fail(error: unknown): void {
    if (this.ended !== null) return;
    this.ended = { error };
    this.release();
    for (const stop of this.waiting) stop(error);
    this.waiting.clear();
  }

  throwIfEnded(): void {
    if (this.ended !== null) throw this.ended.error;
  }

  /** Settles as `work` does, or rejects as soon as the attempt has ended: what becomes of `work` then, nobody hears. */
  async unlessEnded<Result>(work: Promise<Result>): Promise<Result> {
    return await new Promise<Result>((resolve, reject) => {
      if (this.ended === null) this.waiting.add(reject);
      else reject(toError(this.ended.error));
      const settle = (finish: () => void): void => {
        this.waiting.delete(reject);
        finish();
      };
      work.then(
        (result) => settle(() => resolve(result)),
        (error: unknown) => settle(() => reject(toError(error))),
      );
    });
  }

  /** Listens to the signal no longer. */
  release(): void {
    this.signal.removeEventListener('abort', this.interrupt);
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
