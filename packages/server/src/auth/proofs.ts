import { CofreError } from '@cofre/shared/errors';
import type { FreshProof, SecondFactor } from '@cofre/shared/wire/sign-in';
import type { Clock } from '../clock.ts';
import type { UserRecord } from '../db/people-records.ts';
import type { PeopleStore } from '../db/people-store.ts';
import type { Passkeys } from './passkeys.ts';
import type { PasswordHashes } from './password-hashes.ts';
import { hashOfSecret } from '../platform/secret-hash.ts';
import { totpStep } from './totp.ts';

/** Whether somebody is who he says: password, code, recovery code. Attempts are throttled by who calls. */
export class Proofs {
  readonly #store: PeopleStore;
  readonly #hashes: PasswordHashes;
  readonly #passkeys: Passkeys;
  readonly #clock: Clock;

  constructor(store: PeopleStore, hashes: PasswordHashes, passkeys: Passkeys, clock: Clock) {
    this.#store = store;
    this.#hashes = hashes;
    this.#passkeys = passkeys;
    this.#clock = clock;
  }

  /** False for nobody too, after the same time. */
  async hasPassword(user: UserRecord | null, password: string): Promise<boolean> {
    return await this.#hashes.verify(password, user?.passwordHash ?? null);
  }

  /** A code of the authenticator app; it works once. */
  async hasTotpCode({ id, totpSecret, isTotpConfirmed }: UserRecord, code: string): Promise<boolean> {
    if (totpSecret === null || !isTotpConfirmed) return false;
    const step = totpStep(totpSecret, code, this.#clock());
    return step !== null && (await this.#store.takeTotpStep(id, step));
  }

  /** A recovery code; it works once. */
  async hasRecoveryCode({ id }: UserRecord, code: string): Promise<boolean> {
    return await this.#store.takeRecoveryCode(id, hashOfSecret(code));
  }

  /** A fresh proof of somebody who is signed in. @throws CofreError `sign_in_failed`, `passkey_invalid` */
  async requireFresh(user: UserRecord, proof: FreshProof): Promise<SecondFactor | 'password'> {
    if ('ceremony' in proof) {
      const proved = await this.#passkeys.finishProving(proof);
      if (proved.id !== user.id) throw new CofreError('passkey_invalid');
      return 'passkey';
    }
    const isByPassword = 'password' in proof;
    const isProved = isByPassword
      ? await this.hasPassword(user, proof.password)
      : await this.hasTotpCode(user, proof.code);
    if (!isProved) throw new CofreError('sign_in_failed');
    return isByPassword ? 'password' : 'totp';
  }
}
