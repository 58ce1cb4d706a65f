import type { ApiTokenId, DeviceId, TenantId, UserId } from '@cofre/shared/ids';
import type { Permission, Role } from '@cofre/shared/wire/people';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { devices, tenants } from './schema.ts';

/**
 * People, and how they come in. Passwords are argon2id; tokens, links and recovery codes are random and long, so their
 * SHA-256 keeps them (hexadecimal). Only the secret of an authenticator app has to be kept as it is.
 */
export const users = sqliteTable(
  'users',
  {
    id: text('id').$type<UserId>().primaryKey(),
    /** Null: a person of the provider. */
    tenantId: text('tenant_id')
      .$type<TenantId>()
      .references(() => tenants.id),
    role: text('role').$type<Role>().notNull(),
    /** Lower case. */
    login: text('login').notNull().unique(),
    name: text('name').notNull(),
    /** Null until the first link was used. */
    passwordHash: text('password_hash'),
    /** Base32; it counts once it is confirmed. */
    totpSecret: text('totp_secret'),
    isTotpConfirmed: integer('is_totp_confirmed', { mode: 'boolean' }).notNull().default(false),
    /** The time step of the newest code that was taken: none works twice. */
    totpLastStep: integer('totp_last_step').notNull().default(0),
    createdMs: integer('created_ms').notNull(),
    disabledMs: integer('disabled_ms'),
    lastSignInMs: integer('last_sign_in_ms'),
  },
  (table) => [index('users_by_tenant').on(table.tenantId)],
);

/** Devices to which a tenant member may restore. */
export const userDevices = sqliteTable(
  'user_devices',
  {
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    deviceId: text('device_id')
      .$type<DeviceId>()
      .notNull()
      .references(() => devices.id),
  },
  (table) => [primaryKey({ columns: [table.userId, table.deviceId] })],
);

export const passkeys = sqliteTable(
  'passkeys',
  {
    /** As the authenticator names it, base64url. */
    id: text('id').primaryKey(),
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    name: text('name').notNull(),
    /** COSE, base64url. */
    publicKey: text('public_key').notNull(),
    counter: integer('counter').notNull(),
    createdMs: integer('created_ms').notNull(),
    lastUsedMs: integer('last_used_ms'),
  },
  (table) => [index('passkeys_by_user').on(table.userId)],
);

export const recoveryCodes = sqliteTable(
  'recovery_codes',
  {
    hash: text('hash').primaryKey(),
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
  },
  (table) => [index('recovery_codes_by_user').on(table.userId)],
);

/** One-time links: to activate an account, or to set another password. A row goes when it is used. */
export const userLinks = sqliteTable(
  'user_links',
  {
    hash: text('hash').primaryKey(),
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    removesFactors: integer('removes_factors', { mode: 'boolean' }).notNull(),
    expiresMs: integer('expires_ms').notNull(),
  },
  (table) => [index('user_links_by_user').on(table.userId)],
);

/** At most one row: the token with which the first provider admin is made. */
export const firstRunTokens = sqliteTable('first_run_tokens', {
  hash: text('hash').primaryKey(),
  expiresMs: integer('expires_ms').notNull(),
});

export const personSessions = sqliteTable(
  'person_sessions',
  {
    hash: text('hash').primaryKey(),
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    createdMs: integer('created_ms').notNull(),
    lastUsedMs: integer('last_used_ms').notNull(),
    /** When its person last proved to be it. */
    provedMs: integer('proved_ms').notNull(),
  },
  (table) => [index('person_sessions_by_user').on(table.userId, table.createdMs)],
);

export const apiTokens = sqliteTable(
  'api_tokens',
  {
    id: text('id').$type<ApiTokenId>().primaryKey(),
    hash: text('hash').notNull().unique(),
    userId: text('user_id')
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    name: text('name').notNull(),
    scopes: text('scopes', { mode: 'json' }).$type<Permission[]>().notNull(),
    createdMs: integer('created_ms').notNull(),
    expiresMs: integer('expires_ms').notNull(),
    lastUsedMs: integer('last_used_ms'),
  },
  (table) => [index('api_tokens_by_user').on(table.userId)],
);
