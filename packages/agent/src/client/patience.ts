import { setTimeout as sleep } from 'node:timers/promises';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import { ServerAway } from './server-away.ts';

const DELAY_MS_MIN = 200;
const DELAY_MS_MAX = 5000;
/** A transfer that starts well and always breaks must end too. */
const FRESH_STARTS_MAX = 5;

export interface PatienceSettings {
  /** Named in the error. */
  readonly address: string;
  readonly signal: AbortSignal | undefined;
  /** How long the server may be away, counted from the first failure. */
  readonly awayMsMax?: number;
  /** Called before each wait, with what went wrong. */
  readonly onWait?: ((problem: string) => void) | undefined;
}

/** The waiting of one call: how often and how long it tries again while the server is away. */
export class Patience {
  readonly #settings: PatienceSettings;
  readonly #awayMsMax: number;
  #firstFailureMs: number | null = null;
  #failures = 0;
  #freshStarts = 0;
  #hasProgressed = false;

  constructor(settings: PatienceSettings) {
    this.#settings = settings;
    this.#awayMsMax = settings.awayMsMax ?? LIMITS.serverAwayMaxMs;
  }

  /** The server is there after all: bytes move. The next failure counts as the first, a few times. */
  noteProgress(): void {
    this.#hasProgressed = true;
  }

  /** What was got will not be asked for again: the next failure starts from nothing. */
  noteLastingProgress(): void {
    this.#hasProgressed = true;
    this.#freshStarts = 0;
  }

  /**
   * Resolves when it is time to try again.
   * @throws CofreError `server_unreachable` when the server was away for too long, `interrupted`; and `error`
   *   itself when trying again is no use
   */
  async waitAfter(error: unknown): Promise<void> {
    const { address, signal, onWait } = this.#settings;
    if (signal?.aborted === true) throw new CofreError('interrupted', {}, { cause: error });
    if (!(error instanceof ServerAway)) throw error;
    this.#countFailure();
    const delayMs = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** (this.#failures - 1)) * (0.5 + Math.random());
    const awayMs = performance.now() - (this.#firstFailureMs ?? 0);
    if (awayMs + delayMs > this.#awayMsMax) {
      throw new CofreError('server_unreachable', { address, problem: error.message }, { cause: error });
    }
    onWait?.(error.message);
    await pause(delayMs, signal);
  }

  #countFailure(): void {
    if (this.#hasProgressed && this.#freshStarts < FRESH_STARTS_MAX) {
      this.#freshStarts += 1;
      this.#firstFailureMs = null;
      this.#failures = 0;
    }
    this.#hasProgressed = false;
    this.#firstFailureMs ??= performance.now();
    this.#failures += 1;
  }
}

/** Runs `attempt` until it succeeds or patience ends; see {@link Patience.waitAfter}. */
export async function patiently<Result>(patience: Patience, attempt: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      await patience.waitAfter(error);
    }
  }
}

async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new CofreError('interrupted', {}, { cause });
  }
}
