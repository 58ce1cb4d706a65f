import { isIPv6 } from 'node:net';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import type { Clock } from '../clock.ts';

interface Failures {
  readonly count: number;
  readonly lastMs: number;
  readonly openMs: number;
}

/** What may be called once when an attempt was none of guessing. */
export interface Attempt {
  /** Right so far, with more to prove: the address did not guess; of the account it still counts. */
  passed(): void;
  /** The failures of the account are forgotten, and this one of the address. */
  succeeded(): void;
}

/**
 * Makes guessing slow: after some failures each further attempt waits twice as long, for an account from anywhere and
 * for an address with any account. An attempt counts as a failure from its beginning, so that many at once are as slow
 * as one after the other; its success takes that back. Accounts that are not there count like others.
 */
export class SignInThrottle {
  readonly #clock: Clock;
  /** In the order of the latest failure; the map is bounded, and forgets the oldest. */
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param account null when no account is known yet
   * @throws CofreError `too_many_attempts`
   */
  begin(account: string | null, address: string | null): Attempt {
    const accountKey = account === null ? null : `account ${account}`;
    const addressKey = `address ${networkOf(address)}`;
    const keys = accountKey === null ? [addressKey] : [accountKey, addressKey];
    for (const key of keys) this.#requireOpen(key);
    if (accountKey !== null) this.#fail(accountKey, LIMITS.signInFreeFailures);
    this.#fail(addressKey, LIMITS.signInFreeFailuresByAddress);
    return {
      passed: () => this.#forgive(addressKey),
      succeeded: () => {
        if (accountKey !== null) this.#failures.delete(accountKey);
        this.#forgive(addressKey);
      },
    };
  }

  /** Takes one failure back, and no more: who has an account must not guess freely at others from the same address. */
  #forgive(key: string): void {
    const failures = this.#failures.get(key);
    if (failures === undefined) return;
    const count = failures.count - 1;
    const openMs = count <= LIMITS.signInFreeFailuresByAddress ? 0 : failures.openMs;
    this.#failures.set(key, { ...failures, count, openMs });
  }

  #requireOpen(key: string): void {
    const failures = this.#current(key);
    const waitMs = (failures?.openMs ?? 0) - this.#clock();
    if (waitMs > 0) throw new CofreError('too_many_attempts', { seconds: Math.ceil(waitMs / 1000) });
  }

  #current(key: string): Failures | undefined {
    const failures = this.#failures.get(key);
    if (failures === undefined || this.#clock() - failures.lastMs < LIMITS.signInForgetMs) return failures;
    this.#failures.delete(key);
    return undefined;
  }

  #fail(key: string, free: number): void {
    const nowMs = this.#clock();
    const count = (this.#current(key)?.count ?? 0) + 1;
    const doublings = Math.min(count - free - 1, 30);
    const delayMs =
      doublings < 0 ? 0 : Math.min(LIMITS.signInDelayMs * 2 ** doublings, LIMITS.signInDelayMaxMs);
    this.#failures.delete(key);
    this.#failures.set(key, { count, lastMs: nowMs, openMs: nowMs + delayMs });
    if (this.#failures.size <= LIMITS.signInFailuresKeptMax) return;
    const oldest = this.#failures.keys().next().value;
    if (oldest !== undefined) this.#failures.delete(oldest);
  }
}

/** Whoever has an address of IPv6 has 2^64 of them. */
function networkOf(address: string | null): string {
  if (address === null) return 'unknown';
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const front = head.split(':').filter((group) => group !== '');
  const back = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  return [...front, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...back].slice(0, 4).join(':');
}
