import type { z } from 'zod';
import { CofreError } from '@cofre/shared/errors';
import { newRandomId, type UserId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { firstRunRequest } from '@cofre/shared/wire/sign-in';
import { HOST, NOBODY, type AuditLog, type Place } from '../audit/audit-log.ts';
import { requireSuitablePassword, type PasswordHashes } from '../auth/password-hashes.ts';
import { hashOfSecret } from '../platform/secret-hash.ts';
import { newSecretToken } from '../auth/secret-token.ts';
import type { SignIn, SignedIn } from '../auth/sign-in.ts';
import type { SignInThrottle } from '../auth/sign-in-throttle.ts';
import type { Clock } from '../clock.ts';
import type { PeopleStore } from '../db/people-store.ts';
import { instantFrom } from './user-item.ts';

interface FirstRunServices {
  readonly store: PeopleStore;
  readonly hashes: PasswordHashes;
  readonly throttle: SignInThrottle;
  readonly signIn: SignIn;
  readonly audit: AuditLog;
  readonly clock: Clock;
}

/** How the first provider admin comes in: with a token that only the host can read. */
export class FirstRun {
  readonly #services: FirstRunServices;

  constructor(services: FirstRunServices) {
    this.#services = services;
  }

  /**
   * A new token; an earlier one stops working. Null when there is a provider admin: the others come by invitation.
   * Whoever gets it is on the host.
   */
  async newToken(): Promise<{ token: string; expires: string } | null> {
    const { store, audit, clock } = this.#services;
    if (await store.hasProviderAdmin()) return null;
    const token = newSecretToken();
    const expiresMs = clock() + LIMITS.firstRunTokenLifetimeMs;
    const entry = audit.entryOf({ ...HOST, action: 'first_run.token_made', tenantId: null });
    await store.audited(entry).setFirstRunToken(hashOfSecret(token), expiresMs);
    return { token, expires: instantFrom(expiresMs) };
  }

  /** @throws CofreError `link_invalid`, `password_unsuitable`, `already_exists`, `too_many_attempts` */
  async complete(
    { token, login, name, password }: z.output<typeof firstRunRequest>,
    place: Place,
  ): Promise<SignedIn> {
    const { store, hashes, throttle, signIn, audit, clock } = this.#services;
    const attempt = throttle.begin(null, place.address);
    requireSuitablePassword(password, login);
    const id = newRandomId<UserId>();
    const admin = { id, tenantId: null, role: 'provider_admin', login, name, createdMs: clock() } as const;
    const passwordHash = await hashes.make(password);
    const entry = audit.entryOf({
      actor: NOBODY,
      place,
      action: 'first_run.completed',
      tenantId: null,
      target: id,
    });
    const isDone = await store
      .audited(entry)
      .completeFirstRun(hashOfSecret(token), { ...admin, passwordHash });
    const user = isDone ? await store.userById(id) : null;
    if (user === null) throw new CofreError('link_invalid');
    attempt.succeeded();
    return await signIn.start(user, 'first_run', place);
  }
}
