import { and, asc, count, eq, gt, inArray, isNotNull, isNull, ne, type SQL } from 'drizzle-orm';
import { CofreError } from '@cofre/shared/errors';
import type { DeviceId, TenantId, UserId } from '@cofre/shared/ids';
import type { ApplianceDatabase } from './appliance-database.ts';
import type { NewLink, NewUser, TenantFilter, UserChange, UserRecord } from './people-records.ts';
import {
  firstRunTokens,
  passkeys,
  personSessions,
  recoveryCodes,
  userDevices,
  userLinks,
  users,
} from './people-schema.ts';
import { devices, tenants } from './schema.ts';

/** The directory of people and their one-time links, on the database thread. */
export function peopleOperations(database: ApplianceDatabase) {
  const atomically = atomicallyIn(database);
  return {
    ...linkOperations(database),
    ...firstRunOperations(database),
    userById: (id: UserId): UserRecord | null => findUser(database, eq(users.id, id)),
    userByLogin: (login: string): UserRecord | null => findUser(database, eq(users.login, login)),

    usersPage(whose: TenantFilter, after: string, limit: number): UserRecord[] {
      const rows = database
        .select()
        .from(users)
        .where(and(gt(users.id, after as UserId), isTheirs(whose)))
        .orderBy(asc(users.id))
        .limit(limit)
        .all();
      return complete(database, rows);
    },

    /** @throws CofreError `already_exists`; `not_found` when there is no such tenant */
    insertInvitedUser: (user: NewUser, link: NewLink): void =>
      atomically(() => {
        insertUser(database, { ...user, passwordHash: null });
        database
          .insert(userLinks)
          .values({ ...link, userId: user.id })
          .run();
      }),

    /** @throws CofreError `not_found`, `last_admin` */
    changeUser: (id: UserId, change: UserChange, nowMs: number): UserRecord =>
      atomically(() => changeUser(database, id, change, nowMs)),
  };
}

function linkOperations(database: ApplianceDatabase) {
  const atomically = atomicallyIn(database);
  return {
    /** Replaces what links the person has. */
    insertLink: (userId: UserId, link: NewLink): void =>
      atomically(() => {
        database.delete(userLinks).where(eq(userLinks.userId, userId)).run();
        database
          .insert(userLinks)
          .values({ ...link, userId })
          .run();
      }),

    /** Whose link it is; null when it was used, replaced, is over, or its person may not come in. */
    userOfLink: (hash: string, nowMs: number): UserRecord | null =>
      linkOf(database, hash, nowMs)?.user ?? null,

    /** Uses a link up: sets the password, ends all sessions. Null as `userOfLink`. */
    acceptLink: (hash: string, passwordHash: string, nowMs: number): UserRecord | null =>
      atomically(() => acceptLink(database, hash, passwordHash, nowMs)),

    /** Ends all sessions but the one of this hash. */
    setPassword: (id: UserId, passwordHash: string, exceptHash: string | null): void =>
      atomically(() => {
        database.update(users).set({ passwordHash }).where(eq(users.id, id)).run();
        endSessions(database, id, exceptHash);
      }),
  };
}

function firstRunOperations(database: ApplianceDatabase) {
  const atomically = atomicallyIn(database);
  return {
    hasProviderAdmin: (): boolean => countAdmins(database, null, null) > 0,

    setFirstRunToken: (hash: string, expiresMs: number): void =>
      atomically(() => {
        database.delete(firstRunTokens).run();
        database.insert(firstRunTokens).values({ hash, expiresMs }).run();
      }),

    /** False when the token is not the one, is over, or there is a provider admin. @throws CofreError `already_exists` */
    completeFirstRun: (hash: string, user: NewUser & { passwordHash: string }): boolean =>
      atomically(() => {
        const token = database.select().from(firstRunTokens).where(eq(firstRunTokens.hash, hash)).get();
        if (token === undefined || token.expiresMs <= user.createdMs) return false;
        if (countAdmins(database, null, null) > 0) return false;
        database.delete(firstRunTokens).run();
        insertUser(database, user);
        return true;
      }),
  };
}

function atomicallyIn(database: ApplianceDatabase) {
  return <Result>(work: () => Result): Result => database.transaction(work, { behavior: 'immediate' });
}

function isTheirs(whose: TenantFilter): SQL | undefined {
  if (whose === 'all') return undefined;
  return whose === null ? isNull(users.tenantId) : eq(users.tenantId, whose);
}

/** Ends sessions of a person, within the caller's transaction. */
export function endSessions(database: ApplianceDatabase, userId: UserId, exceptHash: string | null): void {
  database
    .delete(personSessions)
    .where(
      and(
        eq(personSessions.userId, userId),
        exceptHash === null ? undefined : ne(personSessions.hash, exceptHash),
      ),
    )
    .run();
}

/** A person by a condition that fits one at most. */
export function findUser(database: ApplianceDatabase, condition: SQL): UserRecord | null {
  const row = database.select().from(users).where(condition).get();
  return row === undefined ? null : (complete(database, [row])[0] ?? null);
}

type UserRow = typeof users.$inferSelect;

function complete(database: ApplianceDatabase, rows: readonly UserRow[]): UserRecord[] {
  const ids = rows.map(({ id }) => id);
  const keyCounts = new Map(
    database
      .select({ userId: passkeys.userId, count: count() })
      .from(passkeys)
      .where(inArray(passkeys.userId, ids))
      .groupBy(passkeys.userId)
      .all()
      .map((row) => [row.userId, row.count]),
  );
  const codeCounts = new Map(
    database
      .select({ userId: recoveryCodes.userId, count: count() })
      .from(recoveryCodes)
      .where(inArray(recoveryCodes.userId, ids))
      .groupBy(recoveryCodes.userId)
      .all()
      .map((row) => [row.userId, row.count]),
  );
  const chosen = database.select().from(userDevices).where(inArray(userDevices.userId, ids)).all();
  return rows.map((row) => ({
    ...row,
    passkeys: keyCounts.get(row.id) ?? 0,
    recoveryCodes: codeCounts.get(row.id) ?? 0,
    devices: chosen.filter(({ userId }) => userId === row.id).map(({ deviceId }) => deviceId),
  }));
}

function insertUser(database: ApplianceDatabase, user: NewUser & { passwordHash: string | null }): void {
  const { tenantId } = user;
  if (tenantId !== null) {
    const tenant = database.select().from(tenants).where(eq(tenants.id, tenantId)).get();
    if (tenant === undefined) throw new CofreError('not_found', { what: `tenant "${tenantId}"` });
  }
  const { changes } = database.insert(users).values(user).onConflictDoNothing().run();
  if (changes === 0) throw new CofreError('already_exists', { what: user.login });
}

function changeUser(
  database: ApplianceDatabase,
  id: UserId,
  { name, role, isDisabled, devices: chosen }: UserChange,
  nowMs: number,
): UserRecord {
  const user = findUser(database, eq(users.id, id));
  if (user === null) throw new CofreError('not_found', { what: `person ${id}` });
  const isAdmin = user.role === 'provider_admin' || user.role === 'tenant_admin';
  if (isAdmin && user.disabledMs === null && (isDisabled || role !== user.role)) {
    if (countAdmins(database, user.tenantId, id) === 0)
      throw new CofreError('last_admin', { login: user.login });
  }
  requireDevices(database, user.tenantId, chosen);
  const disabledMs = isDisabled ? (user.disabledMs ?? nowMs) : null;
  database.update(users).set({ name, role, disabledMs }).where(eq(users.id, id)).run();
  database.delete(userDevices).where(eq(userDevices.userId, id)).run();
  const rows = [...new Set(chosen)].map((deviceId) => ({ userId: id, deviceId }));
  if (rows.length > 0) database.insert(userDevices).values(rows).run();
  if (isDisabled) {
    endSessions(database, id, null);
    database.delete(userLinks).where(eq(userLinks.userId, id)).run();
  }
  return findUser(database, eq(users.id, id)) as UserRecord;
}

function requireDevices(
  database: ApplianceDatabase,
  tenantId: TenantId | null,
  chosen: readonly DeviceId[],
): void {
  for (const deviceId of chosen) {
    const device = database
      .select({ tenantId: devices.tenantId })
      .from(devices)
      .where(eq(devices.id, deviceId))
      .get();
    if (tenantId === null || device?.tenantId !== tenantId) {
      throw new CofreError('not_found', { what: `device "${deviceId}"` });
    }
  }
}

/** Administrators who can come in: of the provider (null), or of a tenant. */
function countAdmins(database: ApplianceDatabase, tenantId: TenantId | null, except: UserId | null): number {
  const row = database
    .select({ count: count() })
    .from(users)
    .where(
      and(
        isTheirs(tenantId),
        eq(users.role, tenantId === null ? 'provider_admin' : 'tenant_admin'),
        isNull(users.disabledMs),
        isNotNull(users.passwordHash),
        except === null ? undefined : ne(users.id, except),
      ),
    )
    .get();
  return row?.count ?? 0;
}

function linkOf(database: ApplianceDatabase, hash: string, nowMs: number) {
  const link = database.select().from(userLinks).where(eq(userLinks.hash, hash)).get();
  if (link === undefined || link.expiresMs <= nowMs) return null;
  const user = findUser(database, eq(users.id, link.userId));
  return user === null || user.disabledMs !== null ? null : { link, user };
}

function acceptLink(
  database: ApplianceDatabase,
  hash: string,
  passwordHash: string,
  nowMs: number,
): UserRecord | null {
  const found = linkOf(database, hash, nowMs);
  if (found === null) return null;
  const { id } = found.user;
  database.delete(userLinks).where(eq(userLinks.userId, id)).run();
  database.update(users).set({ passwordHash }).where(eq(users.id, id)).run();
  endSessions(database, id, null);
  if (found.link.removesFactors) {
    database.delete(passkeys).where(eq(passkeys.userId, id)).run();
    database.delete(recoveryCodes).where(eq(recoveryCodes.userId, id)).run();
    database.update(users).set({ totpSecret: null, isTotpConfirmed: false }).where(eq(users.id, id)).run();
  }
  return findUser(database, eq(users.id, id));
}
