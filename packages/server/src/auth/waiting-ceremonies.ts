import { LIMITS } from '@cofre/shared/limits';
import type { Clock } from '../clock.ts';
import { hashOfSecret } from '../platform/secret-hash.ts';
import { newSecretToken } from './secret-token.ts';

interface Waiting<Content> {
  readonly content: Content;
  readonly expiresMs: number;
  failures: number;
}

/**
 * What is half done and waits for its person: a sign-in before its second factor, a challenge for a passkey. In memory
 * with a bound and for some minutes: after a restart one begins again.
 */
export class WaitingCeremonies<Content> {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting<Content>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Gives the name under which {@link look} and {@link take} find it. The oldest goes when there are too many. */
  begin(content: Content): string {
    const name = newSecretToken();
    const expiresMs = this.#clock() + LIMITS.ceremonyLifetimeMs;
    this.#waiting.set(hashOfSecret(name), { content, expiresMs, failures: 0 });
    const oldest = this.#waiting.keys().next().value;
    if (this.#waiting.size > LIMITS.ceremoniesMax && oldest !== undefined) this.#waiting.delete(oldest);
    return name;
  }

  /** Null when there is none, or its time is over. Each look may be a failure: after some of them it is gone. */
  look(name: string): Content | null {
    const key = hashOfSecret(name);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return null;
    waiting.failures += 1;
    if (waiting.expiresMs <= this.#clock() || waiting.failures > LIMITS.ceremonyFailuresMax) {
      this.#waiting.delete(key);
      return null;
    }
    return waiting.content;
  }

  /** As {@link look}, and it is gone after that. */
  take(name: string): Content | null {
    const content = this.look(name);
    this.#waiting.delete(hashOfSecret(name));
    return content;
  }
}
