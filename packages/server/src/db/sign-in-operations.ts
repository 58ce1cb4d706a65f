import { and, asc, count, eq, inArray, lt, lte } from 'drizzle-orm';
import { CofreError } from '@cofre/shared/errors';
import type { ApiTokenId, UserId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { ApplianceDatabase } from './appliance-database.ts';
import { endSessions, findUser } from './people-operations.ts';
import type { ApiTokenRecord, PasskeyRecord, SessionRecord, UserRecord } from './people-records.ts';
import { apiTokens, passkeys, personSessions, recoveryCodes, users } from './people-schema.ts';

/** Sessions, second factors and API tokens, on the database thread. */
export function signInOperations(database: ApplianceDatabase) {
  return {
    ...sessionOperations(database),
    ...factorOperations(database),
    ...passkeyOperations(database),
    ...apiTokenOperations(database),
  };
}

function sessionOperations(database: ApplianceDatabase) {
  return {
    /** Forgets sessions that are over, and of this person's the oldest beyond the bound. */
    insertSession(userId: UserId, hash: string, nowMs: number): void {
      database.transaction(
        () => {
          const oldestMs = nowMs - LIMITS.personSessionAgeMaxMs;
          database.delete(personSessions).where(lte(personSessions.createdMs, oldestMs)).run();
          const own = database
            .select({ hash: personSessions.hash })
            .from(personSessions)
            .where(eq(personSessions.userId, userId))
            .orderBy(asc(personSessions.createdMs))
            .all();
          const surplus = own.slice(0, Math.max(0, own.length + 1 - LIMITS.personSessionsMax));
          const hashes = surplus.map((session) => session.hash);
          database.delete(personSessions).where(inArray(personSessions.hash, hashes)).run();
          const times = { createdMs: nowMs, lastUsedMs: nowMs, provedMs: nowMs };
          database
            .insert(personSessions)
            .values({ hash, userId, ...times })
            .run();
          database.update(users).set({ lastSignInMs: nowMs }).where(eq(users.id, userId)).run();
        },
        { behavior: 'immediate' },
      );
    },

    sessionByHash(hash: string): { session: SessionRecord; user: UserRecord } | null {
      const session = database.select().from(personSessions).where(eq(personSessions.hash, hash)).get();
      if (session === undefined) return null;
      const user = findUser(database, eq(users.id, session.userId));
      return user === null ? null : { session, user };
    },

    noteSessionUsed(hash: string, nowMs: number): void {
      database.update(personSessions).set({ lastUsedMs: nowMs }).where(eq(personSessions.hash, hash)).run();
    },

    noteSessionProved(hash: string, nowMs: number): void {
      database.update(personSessions).set({ provedMs: nowMs }).where(eq(personSessions.hash, hash)).run();
    },

    deleteSession(hash: string): void {
      database.delete(personSessions).where(eq(personSessions.hash, hash)).run();
    },

    deleteSessionsOf(userId: UserId): void {
      endSessions(database, userId, null);
    },
  };
}

function factorOperations(database: ApplianceDatabase) {
  return {
    /** A secret that waits for its confirmation; false when one counts already. */
    beginTotp(userId: UserId, totpSecret: string): boolean {
      const { changes } = database
        .update(users)
        .set({ totpSecret })
        .where(and(eq(users.id, userId), eq(users.isTotpConfirmed, false)))
        .run();
      return changes === 1;
    },

    /** The code of this time step works once: false when it, or a later one, was taken before. */
    takeTotpStep(userId: UserId, step: number): boolean {
      const { changes } = database
        .update(users)
        .set({ totpLastStep: step })
        .where(and(eq(users.id, userId), lt(users.totpLastStep, step)))
        .run();
      return changes === 1;
    },

    confirmTotp(userId: UserId): void {
      database.update(users).set({ isTotpConfirmed: true }).where(eq(users.id, userId)).run();
    },

    removeTotp(userId: UserId): void {
      database
        .update(users)
        .set({ totpSecret: null, isTotpConfirmed: false })
        .where(eq(users.id, userId))
        .run();
    },

    replaceRecoveryCodes(userId: UserId, hashes: readonly string[]): void {
      database.transaction(() => {
        database.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId)).run();
        database
          .insert(recoveryCodes)
          .values(hashes.map((hash) => ({ hash, userId })))
          .run();
      });
    },

    /** Uses a code up; false when the person has no such one. */
    takeRecoveryCode(userId: UserId, hash: string): boolean {
      const { changes } = database
        .delete(recoveryCodes)
        .where(and(eq(recoveryCodes.userId, userId), eq(recoveryCodes.hash, hash)))
        .run();
      return changes === 1;
    },
  };
}

function passkeyOperations(database: ApplianceDatabase) {
  return {
    passkeysOf(userId: UserId): PasskeyRecord[] {
      return database.select().from(passkeys).where(eq(passkeys.userId, userId)).all();
    },

    passkeyById(id: string): PasskeyRecord | null {
      return database.select().from(passkeys).where(eq(passkeys.id, id)).get() ?? null;
    },

    /** @throws CofreError `limit_reached`, `already_exists` */
    insertPasskey(passkey: PasskeyRecord): void {
      requireRoom(database, passkeys, passkey.userId, LIMITS.passkeysMax);
      const { changes } = database.insert(passkeys).values(passkey).onConflictDoNothing().run();
      if (changes === 0) throw new CofreError('already_exists', { what: 'The passkey' });
    },

    notePasskeyUsed(id: string, counter: number, nowMs: number): void {
      database.update(passkeys).set({ counter, lastUsedMs: nowMs }).where(eq(passkeys.id, id)).run();
    },

    removePasskey(userId: UserId, id: string): boolean {
      const { changes } = database
        .delete(passkeys)
        .where(and(eq(passkeys.userId, userId), eq(passkeys.id, id)))
        .run();
      return changes === 1;
    },
  };
}

function apiTokenOperations(database: ApplianceDatabase) {
  return {
    /** @throws CofreError `limit_reached` */
    insertApiToken(token: ApiTokenRecord): void {
      database.delete(apiTokens).where(lte(apiTokens.expiresMs, token.createdMs)).run();
      requireRoom(database, apiTokens, token.userId, LIMITS.apiTokensMax);
      database.insert(apiTokens).values(token).run();
    },

    apiTokensOf(userId: UserId): ApiTokenRecord[] {
      return database
        .select()
        .from(apiTokens)
        .where(eq(apiTokens.userId, userId))
        .orderBy(asc(apiTokens.createdMs), asc(apiTokens.id))
        .all();
    },

    apiTokenByHash(hash: string): { token: ApiTokenRecord; user: UserRecord } | null {
      const token = database.select().from(apiTokens).where(eq(apiTokens.hash, hash)).get();
      if (token === undefined) return null;
      const user = findUser(database, eq(users.id, token.userId));
      return user === null ? null : { token, user };
    },

    noteApiTokenUsed(id: ApiTokenId, nowMs: number): void {
      database.update(apiTokens).set({ lastUsedMs: nowMs }).where(eq(apiTokens.id, id)).run();
    },

    deleteApiToken(userId: UserId, id: ApiTokenId): boolean {
      const { changes } = database
        .delete(apiTokens)
        .where(and(eq(apiTokens.userId, userId), eq(apiTokens.id, id)))
        .run();
      return changes === 1;
    },
  };
}

function requireRoom(
  database: ApplianceDatabase,
  table: typeof passkeys | typeof apiTokens,
  userId: UserId,
  limit: number,
): void {
  const row = database.select({ count: count() }).from(table).where(eq(table.userId, userId)).get();
  if ((row?.count ?? 0) < limit) return;
  throw new CofreError('limit_reached', { limit, what: table === passkeys ? 'passkeys' : 'API tokens' });
}
