import type { ClockSources } from '@cofre/server/platform/service-time';

/** Any time will do; this one is no special day. */
const START_MS = Date.UTC(2030, 4, 20, 9);

/** Clocks that move only when they are told to, so that a seed means the same on every machine. */
export class VirtualClock implements ClockSources {
  #wallMs = START_MS;
  #monotonicMs = 0;

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Time goes by, for both clocks. */
  pass(durationMs: number): void {
    this.#wallMs += durationMs;
    this.#monotonicMs += durationMs;
  }

  /** Somebody sets the wall clock, ahead or back; no time goes by. */
  setWall(byMs: number): void {
    this.#wallMs += byMs;
  }
}
