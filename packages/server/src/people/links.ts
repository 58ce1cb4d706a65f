import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import type { OneTimeLink } from '@cofre/shared/wire/people';
import { NOBODY, type AuditLog, type Place } from '../audit/audit-log.ts';
import { requireSuitablePassword, type PasswordHashes } from '../auth/password-hashes.ts';
import { hashOfSecret } from '../platform/secret-hash.ts';
import { newSecretToken } from '../auth/secret-token.ts';
import type { SignInThrottle } from '../auth/sign-in-throttle.ts';
import type { Clock } from '../clock.ts';
import type { NewLink } from '../db/people-records.ts';
import type { PeopleStore } from '../db/people-store.ts';
import { instantFrom } from './user-item.ts';

/** A link and what is kept of it. Its secret stands behind the `#`: browsers send that to nobody. */
export function newLink(
  origin: string,
  nowMs: number,
  purpose: 'activation' | 'reset',
  removesFactors = false,
): { readonly shown: OneTimeLink; readonly kept: NewLink } {
  const secret = newSecretToken();
  const isActivation = purpose === 'activation';
  const expiresMs = nowMs + (isActivation ? LIMITS.activationLifetimeMs : LIMITS.passwordResetLifetimeMs);
  return {
    shown: { link: `${origin}/activate#${secret}`, expires: instantFrom(expiresMs) },
    kept: { hash: hashOfSecret(secret), removesFactors, expiresMs },
  };
}

interface LinkServices {
  readonly store: PeopleStore;
  readonly hashes: PasswordHashes;
  readonly throttle: SignInThrottle;
  readonly audit: AuditLog;
  readonly clock: Clock;
}

/** Turns a link into a password: an account is activated, or a forgotten password replaced. */
export class Links {
  readonly #services: LinkServices;

  constructor(services: LinkServices) {
    this.#services = services;
  }

  /**
   * All sessions of the person end. Keys of what is kept are not concerned: the server has none.
   * @throws CofreError `link_invalid`, `password_unsuitable` (the link then works still), `too_many_attempts`
   */
  async accept(token: string, password: string, place: Place): Promise<void> {
    const { store, hashes, throttle, audit, clock } = this.#services;
    const attempt = throttle.begin(null, place.address);
    const hash = hashOfSecret(token);
    const user = await store.userOfLink(hash, clock());
    if (user === null) throw new CofreError('link_invalid');
    requireSuitablePassword(password, user.login);
    const { id, tenantId, passwordHash } = user;
    const entry = audit.entryOf({
      actor: NOBODY,
      place,
      action: passwordHash === null ? 'user.activated' : 'password.changed',
      tenantId,
      target: id,
      details: { how: 'link' },
    });
    const done = await store.audited(entry).acceptLink(hash, await hashes.make(password), clock());
    if (done === null) throw new CofreError('link_invalid');
    attempt.succeeded();
  }
}
