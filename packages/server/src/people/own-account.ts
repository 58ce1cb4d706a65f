import type { z } from 'zod';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import type {
  changePasswordRequest,
  FreshProof,
  PasskeyItem,
  PasskeyRegistration,
  SessionInfo,
} from '@cofre/shared/wire/sign-in';
import type { AuditEvent, AuditLog } from '../audit/audit-log.ts';
import { actorFrom, type AuthenticatedPerson } from '../auth/authenticated-person.ts';
import { requireSuitablePassword, type PasswordHashes } from '../auth/password-hashes.ts';
import type { Passkeys } from '../auth/passkeys.ts';
import type { Proofs } from '../auth/proofs.ts';
import { needsSecondFactor, requireFreshProof, requireSession } from '../auth/reach.ts';
import { newRecoveryCodes } from '../auth/recovery-codes.ts';
import { hashOfSecret } from '../platform/secret-hash.ts';
import type { SignInThrottle } from '../auth/sign-in-throttle.ts';
import { newTotpSecret, totpStep, totpUri } from '../auth/totp.ts';
import type { Clock } from '../clock.ts';
import type { NewAuditEntry } from '../db/people-records.ts';
import type { PeopleStore } from '../db/people-store.ts';
import { instantFrom } from './user-item.ts';

interface AccountServices {
  readonly store: PeopleStore;
  readonly hashes: PasswordHashes;
  readonly proofs: Proofs;
  readonly passkeys: Passkeys;
  readonly throttle: SignInThrottle;
  readonly audit: AuditLog;
  readonly clock: Clock;
}

/**
 * One's own session and ways in. What adds or removes a way in wants a fresh proof: a session that somebody got hold of
 * must not turn into an account of his.
 */
export class OwnAccount {
  readonly #services: AccountServices;

  constructor(services: AccountServices) {
    this.#services = services;
  }

  info(person: AuthenticatedPerson): SessionInfo {
    const { user, permissions, via } = person;
    const isSession = via.kind === 'session';
    return {
      userId: user.id,
      login: user.login,
      name: user.name,
      role: user.role,
      tenantId: user.tenantId,
      permissions: [...permissions],
      needsSecondFactor: needsSecondFactor(person),
      hasTotp: user.isTotpConfirmed,
      passkeys: user.passkeys,
      recoveryCodesLeft: user.recoveryCodes,
      freshUntil: isSession ? instantFrom(via.freshUntilMs) : null,
      sessionEnds: isSession ? instantFrom(via.endsMs) : null,
    };
  }

  async signOut(person: AuthenticatedPerson, isEverywhere: boolean): Promise<void> {
    const { hash } = requireSession(person);
    const audited = this.#audited(person, 'session.ended', { isEverywhere });
    await (isEverywhere ? audited.deleteSessionsOf(person.user.id) : audited.deleteSession(hash));
  }

  /** @throws CofreError `sign_in_failed`, `passkey_invalid`, `too_many_attempts` */
  async refreshProof(person: AuthenticatedPerson, proof: FreshProof): Promise<{ freshUntil: string }> {
    const { hash } = requireSession(person);
    const { proofs, throttle, clock } = this.#services;
    const attempt = throttle.begin(person.user.login, person.place.address);
    const how = await proofs.requireFresh(person.user, proof);
    attempt.succeeded();
    await this.#audited(person, 'proof.refreshed', { how }).noteSessionProved(hash, clock());
    return { freshUntil: instantFrom(clock() + LIMITS.freshProofMs) };
  }

  /** All other sessions end. @throws CofreError `sign_in_failed`, `password_unsuitable`, `too_many_attempts` */
  async changePassword(
    person: AuthenticatedPerson,
    { current, next }: z.output<typeof changePasswordRequest>,
  ): Promise<void> {
    const { hash } = requireSession(person);
    const { proofs, hashes, throttle } = this.#services;
    const attempt = throttle.begin(person.user.login, person.place.address);
    if (!(await proofs.hasPassword(person.user, current))) throw new CofreError('sign_in_failed');
    attempt.succeeded();
    requireSuitablePassword(next, person.user.login);
    const passwordHash = await hashes.make(next);
    const audited = this.#audited(person, 'password.changed', { how: 'password' });
    await audited.setPassword(person.user.id, passwordHash, hash);
  }

  /** @throws CofreError `already_exists` when the account has one; `fresh_proof_needed` */
  async beginTotp(person: AuthenticatedPerson): Promise<{ secret: string; uri: string }> {
    this.#requireFresh(person);
    const secret = newTotpSecret();
    if (!(await this.#services.store.beginTotp(person.user.id, secret))) {
      throw new CofreError('already_exists', { what: 'An authenticator app' });
    }
    return { secret, uri: totpUri(secret, person.user.login) };
  }

  /** Gives recovery codes, if the account has none yet. @throws CofreError `code_wrong`, `fresh_proof_needed` */
  async confirmTotp(person: AuthenticatedPerson, code: string): Promise<string[]> {
    this.#requireFresh(person);
    const { store, throttle, clock } = this.#services;
    const { id, login, totpSecret } = person.user;
    const attempt = throttle.begin(login, person.place.address);
    const step = totpSecret === null ? null : totpStep(totpSecret, code, clock());
    if (step === null || !(await store.takeTotpStep(id, step))) throw new CofreError('code_wrong');
    attempt.succeeded();
    await this.#audited(person, 'totp.added').confirmTotp(id);
    return person.user.recoveryCodes > 0 ? [] : await this.makeRecoveryCodes(person);
  }

  async removeTotp(person: AuthenticatedPerson): Promise<void> {
    this.#requireFresh(person);
    await this.#audited(person, 'totp.removed').removeTotp(person.user.id);
  }

  /** Earlier ones stop working. */
  async makeRecoveryCodes(person: AuthenticatedPerson): Promise<string[]> {
    this.#requireFresh(person);
    const codes = newRecoveryCodes();
    const audited = this.#audited(person, 'recovery_codes.made');
    await audited.replaceRecoveryCodes(person.user.id, codes.map(hashOfSecret));
    return codes;
  }

  async listPasskeys(person: AuthenticatedPerson): Promise<PasskeyItem[]> {
    requireSession(person);
    const found = await this.#services.store.passkeysOf(person.user.id);
    return found.map(({ id, name, createdMs, lastUsedMs }) => ({
      passkeyId: id,
      name,
      created: instantFrom(createdMs),
      lastUsed: lastUsedMs === null ? null : instantFrom(lastUsedMs),
    }));
  }

  async beginPasskey(person: AuthenticatedPerson) {
    this.#requireFresh(person);
    return await this.#services.passkeys.beginAdding(person.user);
  }

  /** @throws CofreError `passkey_invalid`, `limit_reached` */
  async finishPasskey(person: AuthenticatedPerson, registration: PasskeyRegistration): Promise<void> {
    this.#requireFresh(person);
    const passkey = await this.#services.passkeys.finishAdding(person.user, registration);
    await this.#audited(person, 'passkey.added').insertPasskey(passkey);
  }

  async removePasskey(person: AuthenticatedPerson, id: string): Promise<void> {
    this.#requireFresh(person);
    const isRemoved = await this.#audited(person, 'passkey.removed').removePasskey(person.user.id, id);
    if (!isRemoved) throw new CofreError('not_found', { what: 'such passkey' });
  }

  #requireFresh(person: AuthenticatedPerson): void {
    requireSession(person);
    requireFreshProof(person, this.#services.clock());
  }

  #audited(
    person: AuthenticatedPerson,
    action: AuditEvent['action'],
    details: NewAuditEntry['details'] = {},
  ) {
    const { audit, store } = this.#services;
    const { id, tenantId } = person.user;
    const event = { actor: actorFrom(person), place: person.place, action, tenantId, target: id, details };
    return store.audited(audit.entryOf(event));
  }
}
