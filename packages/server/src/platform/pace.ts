import { setTimeout as sleep } from 'node:timers/promises';

/** Sleeps shorter than this are left for later: timers are not that exact. */
const SLEEP_MS_MIN = 5;

/** Keeps work in the background to so many bytes a second, on average over any longer time. */
export class Pace {
  private readonly bytesPerSecond: number | null;
  /** When the bytes that were taken so far are paid for, in the monotonic clock's milliseconds. */
  private paidAtMs = 0;

  /** @param bytesPerSecond null for no bound */
  constructor(bytesPerSecond: number | null) {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Resolves when `bytes` more may follow; others have had a turn meanwhile. @throws when `signal` says so */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.bytesPerSecond === null) return;
    const nowMs = performance.now();
    const waitMs = this.paidAtMs - nowMs;
    this.paidAtMs = Math.max(nowMs, this.paidAtMs) + (bytes / this.bytesPerSecond) * 1000;
    if (waitMs >= SLEEP_MS_MIN) await sleep(waitMs, undefined, { signal });
  }
}
