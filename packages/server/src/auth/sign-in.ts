import type { z } from 'zod';
import { CofreError } from '@cofre/shared/errors';
import type {
  PasskeyAssertion,
  recoveryCodeRequest,
  SecondFactor,
  secondFactorRequest,
  signInRequest,
} from '@cofre/shared/wire/sign-in';
import { NOBODY, type AuditLog, type Place } from '../audit/audit-log.ts';
import type { Clock } from '../clock.ts';
import type { UserRecord } from '../db/people-records.ts';
import type { PeopleStore } from '../db/people-store.ts';
import { hasSecondFactor } from './authenticated-person.ts';
import type { Passkeys } from './passkeys.ts';
import type { Proofs } from './proofs.ts';
import { hashOfSecret } from '../platform/secret-hash.ts';
import { newSecretToken } from './secret-token.ts';
import type { Attempt, SignInThrottle } from './sign-in-throttle.ts';
import { WaitingCeremonies } from './waiting-ceremonies.ts';

export type SignedIn =
  | { readonly state: 'signed_in'; readonly secret: string }
  | { readonly state: 'second_factor'; readonly ticket: string; readonly factors: SecondFactor[] };

export interface SignInServices {
  readonly store: PeopleStore;
  readonly proofs: Proofs;
  readonly passkeys: Passkeys;
  readonly throttle: SignInThrottle;
  readonly audit: AuditLog;
  readonly clock: Clock;
}

/**
 * Turns proofs into a session. Whatever is wrong, the answer is `sign_in_failed`, after about the same time: nobody
 * learns here which accounts there are.
 */
export class SignIn {
  readonly #services: SignInServices;
  /** Who has given the password, and owes the second factor. */
  readonly #tickets: WaitingCeremonies<UserRecord['id']>;

  constructor(services: SignInServices) {
    this.#services = services;
    this.#tickets = new WaitingCeremonies(services.clock);
  }

  /** @throws CofreError `sign_in_failed`, `too_many_attempts` */
  async byPassword({ login, password }: z.output<typeof signInRequest>, place: Place): Promise<SignedIn> {
    const { store, proofs, throttle } = this.#services;
    const attempt = throttle.begin(login, place.address);
    const user = await store.userByLogin(login);
    const isGenuine = await proofs.hasPassword(user, password);
    if (user === null || !isGenuine || user.disabledMs !== null)
      return await this.#refuse(user, 'password', place);
    if (!hasSecondFactor(user)) return await this.#start(user, 'password', place, attempt);
    // Not a success yet: the second factor is guessed at the same slow pace.
    attempt.passed();
    return { state: 'second_factor', ticket: this.#tickets.begin(user.id), factors: factorsOf(user) };
  }

  /** @throws CofreError `sign_in_failed`, `too_many_attempts` */
  async bySecondFactor(
    { ticket, code }: z.output<typeof secondFactorRequest> | z.output<typeof recoveryCodeRequest>,
    factor: 'totp' | 'recovery_code',
    place: Place,
  ): Promise<SignedIn> {
    const { proofs, throttle } = this.#services;
    const user = await this.#userOfTicket(ticket);
    const attempt = throttle.begin(user?.login ?? null, place.address);
    if (user === null) return await this.#refuse(null, factor, place);
    const isGenuine =
      factor === 'totp' ? await proofs.hasTotpCode(user, code) : await proofs.hasRecoveryCode(user, code);
    if (!isGenuine) return await this.#refuse(user, factor, place);
    if (this.#tickets.take(ticket) === null) return await this.#refuse(user, factor, place);
    return await this.#start(user, factor, place, attempt);
  }

  /** Password and factor in one. @throws CofreError `sign_in_failed`, `too_many_attempts` */
  async byPasskey(assertion: PasskeyAssertion, place: Place): Promise<SignedIn> {
    const { passkeys, throttle } = this.#services;
    const attempt = throttle.begin(null, place.address);
    try {
      const user = await passkeys.finishProving(assertion);
      return await this.#start(user, 'passkey', place, attempt);
    } catch (error) {
      if (error instanceof CofreError && error.code === 'passkey_invalid') {
        return await this.#refuse(null, 'passkey', place);
      }
      throw error;
    }
  }

  /** The session of somebody who has just proved to be it in another way, such as the first run. */
  async start(user: UserRecord, how: 'first_run', place: Place): Promise<SignedIn> {
    return await this.#start(user, how, place, null);
  }

  async #userOfTicket(ticket: string): Promise<UserRecord | null> {
    const userId = this.#tickets.look(ticket);
    const user = userId === null ? null : await this.#services.store.userById(userId);
    return user?.disabledMs === null ? user : null;
  }

  async #start(
    user: UserRecord,
    how: SecondFactor | 'password' | 'first_run',
    place: Place,
    attempt: Attempt | null,
  ): Promise<SignedIn> {
    const { store, audit, clock } = this.#services;
    const secret = newSecretToken();
    const actor = { kind: 'person', id: user.id, name: user.login, role: user.role } as const;
    const entry = audit.entryOf({
      actor,
      place,
      action: 'sign_in.succeeded',
      tenantId: user.tenantId,
      details: { how },
    });
    await store.audited(entry).insertSession(user.id, hashOfSecret(secret), clock());
    attempt?.succeeded();
    return { state: 'signed_in', secret };
  }

  /** The login that was typed is not written down: people type passwords there. */
  async #refuse(user: UserRecord | null, how: SecondFactor | 'password', place: Place): Promise<never> {
    await this.#services.audit.record({
      actor: NOBODY,
      place,
      action: 'sign_in.failed',
      tenantId: user?.tenantId ?? null,
      ...(user === null ? {} : { target: user.id }),
      details: { how },
    });
    throw new CofreError('sign_in_failed');
  }
}

function factorsOf(user: UserRecord): SecondFactor[] {
  const factors: SecondFactor[] = [];
  if (user.isTotpConfirmed) factors.push('totp');
  if (user.passkeys > 0) factors.push('passkey');
  if (user.recoveryCodes > 0) factors.push('recovery_code');
  return factors;
}
