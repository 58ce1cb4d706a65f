import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { CofreError } from '@cofre/shared/errors';
import type { PasskeyAssertion, PasskeyRegistration } from '@cofre/shared/wire/sign-in';
import type { Clock } from '../clock.ts';
import type { PasskeyRecord, UserRecord } from '../db/people-records.ts';
import type { PeopleStore } from '../db/people-store.ts';
import { WaitingCeremonies } from './waiting-ceremonies.ts';

/** What a challenge was made for: signing in (nobody is known yet), or a person who adds a passkey. */
interface Challenge {
  readonly challenge: string;
  readonly adding: UserRecord['id'] | null;
}

/**
 * The two ceremonies of WebAuthn. A passkey is taken only with user verification: it is something that one has and
 * something that one knows or is, and so signs in alone. It is bound to the host name of the public address.
 */
export class Passkeys {
  readonly #store: PeopleStore;
  readonly #clock: Clock;
  readonly #origin: () => string;
  readonly #ceremonies: WaitingCeremonies<Challenge>;

  /** @param origin the public address */
  constructor(store: PeopleStore, clock: Clock, origin: () => string) {
    this.#store = store;
    this.#clock = clock;
    this.#origin = origin;
    this.#ceremonies = new WaitingCeremonies(clock);
  }

  /** What `navigator.credentials.create` takes. */
  async beginAdding(user: UserRecord) {
    const known = await this.#store.passkeysOf(user.id);
    const options = await generateRegistrationOptions({
      rpName: 'Cofre',
      rpID: this.#host(),
      userName: user.login,
      userDisplayName: user.name,
      userID: new Uint8Array(Buffer.from(user.id, 'hex')),
      attestationType: 'none',
      excludeCredentials: known.map(({ id }) => ({ id })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    });
    const ceremony = this.#ceremonies.begin({ challenge: options.challenge, adding: user.id });
    return { ceremony, options: jsonFrom(options) };
  }

  /** The passkey that a browser made. @throws CofreError `passkey_invalid` */
  async finishAdding(
    user: UserRecord,
    { ceremony, name, response }: PasskeyRegistration,
  ): Promise<PasskeyRecord> {
    const begun = this.#ceremonies.take(ceremony);
    if (begun === null || begun.adding !== user.id) throw new CofreError('passkey_invalid');
    const { registrationInfo: made } = await refusing(() =>
      verifyRegistrationResponse({
        response: response as Parameters<typeof verifyRegistrationResponse>[0]['response'],
        expectedChallenge: begun.challenge,
        expectedOrigin: this.#origin(),
        expectedRPID: this.#host(),
        requireUserVerification: true,
      }),
    );
    if (made === undefined) throw new CofreError('passkey_invalid');
    const { id, publicKey, counter } = made.credential;
    const key = Buffer.from(publicKey).toString('base64url');
    const times = { createdMs: this.#clock(), lastUsedMs: null };
    return { id, userId: user.id, name, publicKey: key, counter, ...times };
  }

  /** What `navigator.credentials.get` takes. It names no account: the passkey itself says whose it is. */
  async beginProving() {
    const options = await generateAuthenticationOptions({ rpID: this.#host(), userVerification: 'required' });
    const ceremony = this.#ceremonies.begin({ challenge: options.challenge, adding: null });
    return { ceremony, options: jsonFrom(options) };
  }

  /** Whose passkey answered. @throws CofreError `passkey_invalid`, whatever was wrong */
  async finishProving({ ceremony, response }: PasskeyAssertion): Promise<UserRecord> {
    const begun = this.#ceremonies.take(ceremony);
    const passkey = await this.#store.passkeyById(response.id);
    if (begun === null || begun.adding !== null || passkey === null) throw new CofreError('passkey_invalid');
    const { id, publicKey, counter } = passkey;
    const { verified, authenticationInfo } = await refusing(() =>
      verifyAuthenticationResponse({
        response: response as Parameters<typeof verifyAuthenticationResponse>[0]['response'],
        expectedChallenge: begun.challenge,
        expectedOrigin: this.#origin(),
        expectedRPID: this.#host(),
        requireUserVerification: true,
        credential: { id, publicKey: new Uint8Array(Buffer.from(publicKey, 'base64url')), counter },
      }),
    );
    const user = await this.#store.userById(passkey.userId);
    if (!verified || user === null || user.disabledMs !== null) throw new CofreError('passkey_invalid');
    await this.#store.notePasskeyUsed(id, authenticationInfo.newCounter, this.#clock());
    return user;
  }

  #host(): string {
    return new URL(this.#origin()).hostname;
  }
}

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** Options as they go to a browser, without what is undefined in them. */
function jsonFrom(options: object): { [name: string]: Json } {
  return JSON.parse(JSON.stringify(options)) as { [name: string]: Json };
}

/** What the library refuses is said as one thing: the details would help only whoever forges. */
async function refusing<Result>(verify: () => Promise<Result>): Promise<Result> {
  try {
    return await verify();
  } catch (cause) {
    throw new CofreError('passkey_invalid', {}, { cause });
  }
}
