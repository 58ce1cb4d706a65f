import type { z } from 'zod';
import { CofreError } from '@cofre/shared/errors';
import { newRandomId, type ApiTokenId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { ApiTokenItem, createApiTokenRequest } from '@cofre/shared/wire/people';
import type { AuditEvent, AuditLog } from '../audit/audit-log.ts';
import { actorFrom, type AuthenticatedPerson } from '../auth/authenticated-person.ts';
import { requireFreshProof, requireSession } from '../auth/reach.ts';
import { hashOfSecret } from '../platform/secret-hash.ts';
import { newSecretToken } from '../auth/secret-token.ts';
import type { Clock } from '../clock.ts';
import type { ApiTokenRecord } from '../db/people-records.ts';
import type { PeopleStore } from '../db/people-store.ts';
import { instantFrom } from './user-item.ts';

interface TokenServices {
  readonly store: PeopleStore;
  readonly audit: AuditLog;
  readonly clock: Clock;
}

/** One's own tokens for programs. A token makes no other, and does nothing that wants a fresh proof. */
export class ApiTokens {
  readonly #services: TokenServices;

  constructor(services: TokenServices) {
    this.#services = services;
  }

  async list(person: AuthenticatedPerson): Promise<ApiTokenItem[]> {
    requireSession(person);
    return (await this.#services.store.apiTokensOf(person.user.id)).map(itemFrom);
  }

  /**
   * @returns the token, and its secret, which is said here only
   * @throws CofreError `forbidden` for scopes that the person has not, `invalid_request`, `limit_reached`
   */
  async create(
    person: AuthenticatedPerson,
    { name, scopes, expires }: z.output<typeof createApiTokenRequest>,
  ): Promise<{ token: ApiTokenItem; secret: string }> {
    const { clock } = this.#services;
    requireSession(person);
    requireFreshProof(person, clock());
    const createdMs = clock();
    const expiresMs = Date.parse(expires);
    if (expiresMs <= createdMs || expiresMs > createdMs + LIMITS.apiTokenLifetimeMaxMs) {
      const days = LIMITS.apiTokenLifetimeMaxMs / 86_400_000;
      throw new CofreError('invalid_request', {
        problem: `expires: not within the next ${days} days`,
      });
    }
    const missing = scopes.find((scope) => !person.permissions.has(scope));
    if (missing !== undefined) throw new CofreError('forbidden', { what: missing });
    const secret = `cofre_${newSecretToken()}`;
    const token: ApiTokenRecord = {
      id: newRandomId<ApiTokenId>(),
      hash: hashOfSecret(secret),
      userId: person.user.id,
      name,
      scopes: [...new Set(scopes)],
      createdMs,
      expiresMs,
      lastUsedMs: null,
    };
    await this.#audited(person, 'api_token.made', token.id).insertApiToken(token);
    return { token: itemFrom(token), secret };
  }

  /** @throws CofreError `not_found` */
  async revoke(person: AuthenticatedPerson, id: ApiTokenId): Promise<void> {
    requireSession(person);
    const isGone = await this.#audited(person, 'api_token.revoked', id).deleteApiToken(person.user.id, id);
    if (!isGone) throw new CofreError('not_found', { what: `API token ${id}` });
  }

  #audited(person: AuthenticatedPerson, action: AuditEvent['action'], target: string) {
    const { audit, store } = this.#services;
    const { tenantId } = person.user;
    const event = { actor: actorFrom(person), place: person.place, action, tenantId, target };
    return store.audited(audit.entryOf(event));
  }
}

function itemFrom({ id, name, scopes, createdMs, expiresMs, lastUsedMs }: ApiTokenRecord): ApiTokenItem {
  return {
    tokenId: id,
    name,
    scopes,
    created: instantFrom(createdMs),
    expires: instantFrom(expiresMs),
    lastUsed: lastUsedMs === null ? null : instantFrom(lastUsedMs),
  };
}
