import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import type { Place } from '../audit/audit-log.ts';
import type { Clock } from '../clock.ts';
import type { SessionRecord } from '../db/people-records.ts';
import type { PeopleStore } from '../db/people-store.ts';
import type { AuthenticatedPerson } from './authenticated-person.ts';
import { permissionsOf } from './permissions.ts';
import { hashOfSecret } from '../platform/secret-hash.ts';

const BEARER = /^Bearer (cofre_[A-Za-z0-9_-]{43})$/;
const SESSION = /^[A-Za-z0-9_-]{43}$/;

/** Tells which person a request comes from: from the cookie of a session, or from an API token. */
export class PersonAuthenticator {
  readonly #store: PeopleStore;
  readonly #clock: Clock;

  constructor(store: PeopleStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * A session ends with its age, after a time without use, and with its person.
   * @param secret what the cookie holds
   * @throws CofreError `not_signed_in`
   */
  async bySession(secret: string | undefined, place: Place): Promise<AuthenticatedPerson> {
    if (secret === undefined || !SESSION.test(secret)) throw new CofreError('not_signed_in');
    const found = await this.#store.sessionByHash(hashOfSecret(secret));
    if (found === null || found.user.disabledMs !== null) throw new CofreError('not_signed_in');
    const { session, user } = found;
    const nowMs = this.#clock();
    if (isOver(session, nowMs)) throw new CofreError('not_signed_in');
    if (nowMs - session.lastUsedMs >= LIMITS.personSessionNoteMs) {
      // A full disk must not keep anybody from looking: the session then ends a little early.
      await this.#store.noteSessionUsed(session.hash, nowMs).catch(() => undefined);
    }
    const via = {
      kind: 'session',
      hash: session.hash,
      endsMs: session.createdMs + LIMITS.personSessionAgeMaxMs,
      freshUntilMs: session.provedMs + LIMITS.freshProofMs,
    } as const;
    return { user, permissions: new Set(permissionsOf(user.role)), via, place };
  }

  /**
   * A token may do what its scopes name, as far as its person may.
   * @param authorization the header's value
   * @throws CofreError `not_signed_in`
   */
  async byApiToken(authorization: string, place: Place): Promise<AuthenticatedPerson> {
    const secret = BEARER.exec(authorization)?.[1];
    if (secret === undefined) throw new CofreError('not_signed_in');
    const found = await this.#store.apiTokenByHash(hashOfSecret(secret));
    const nowMs = this.#clock();
    if (found === null || found.user.disabledMs !== null || found.token.expiresMs <= nowMs) {
      throw new CofreError('not_signed_in');
    }
    const { token, user } = found;
    if (nowMs - (token.lastUsedMs ?? 0) >= LIMITS.personSessionNoteMs) {
      await this.#store.noteApiTokenUsed(token.id, nowMs).catch(() => undefined);
    }
    const granted = permissionsOf(user.role).filter((permission) => token.scopes.includes(permission));
    const via = { kind: 'api_token', id: token.id, name: token.name } as const;
    return { user, permissions: new Set(granted), via, place };
  }
}

function isOver({ createdMs, lastUsedMs }: SessionRecord, nowMs: number): boolean {
  return (
    nowMs - createdMs >= LIMITS.personSessionAgeMaxMs || nowMs - lastUsedMs >= LIMITS.personSessionIdleMs
  );
}
