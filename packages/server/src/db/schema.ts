import type { DeviceId, TenantId } from '@cofre/shared/ids';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/**
 * The appliance's own database: who there is. What a tenant keeps stands in the tenant's database, and nothing
 * authoritative stands in both. Secrets are kept as hashes only.
 *
 * After a change, write the next migration (in `packages/server`; never edit an old one):
 *
 *     drizzle-kit generate --dialect sqlite --schema 'src/db/*schema.ts' --out src/db/migrations --name what_changed
 */
export const tenants = sqliteTable('tenants', {
  id: text('id').$type<TenantId>().primaryKey(),
  name: text('name').notNull().unique(),
  /** Quota as it was sold: the vault enforces its bytes. */
  modules: integer('modules').notNull(),
  createdMs: integer('created_ms').notNull(),
  suspendedMs: integer('suspended_ms'),
  /** As on an invoice; null for a moment only, for a tenant from before there were codes. */
  managementCode: text('management_code').unique(),
  /** A lower quota that was announced, and from when on it is in force. */
  laterModules: integer('later_modules'),
  laterMs: integer('later_ms'),
  /** How much of the quota is used, of 80, 90, 100 (0 below), and since when. */
  warnedPercent: integer('warned_percent').notNull().default(0),
  warnedMs: integer('warned_ms'),
  deletionAskedMs: integer('deletion_asked_ms'),
  /** Null while it is not to be deleted. */
  deletionDueMs: integer('deletion_due_ms'),
  /** False from a change on until the store says the same of the tenant. */
  isDescribed: integer('is_described', { mode: 'boolean' }).notNull().default(true),
});

export const devices = sqliteTable(
  'devices',
  {
    id: text('id').$type<DeviceId>().primaryKey(),
    tenantId: text('tenant_id')
      .$type<TenantId>()
      .notNull()
      .references(() => tenants.id),
    name: text('name').notNull(),
    platform: text('platform').notNull(),
    agentVersion: text('agent_version').notNull(),
    /** Ed25519 public key, hexadecimal. */
    signingKey: text('signing_key').notNull(),
    /** age recipient. */
    inbox: text('inbox').notNull(),
    /** SHA-256 of the credential's secret, hexadecimal. */
    credentialHash: text('credential_hash').notNull(),
    createdMs: integer('created_ms').notNull(),
    lastSeenMs: integer('last_seen_ms'),
    revokedMs: integer('revoked_ms'),
  },
  (table) => [index('devices_by_tenant').on(table.tenantId)],
);

export const invitations = sqliteTable(
  'invitations',
  {
    /** SHA-256 of the one-time code, hexadecimal. */
    codeHash: text('code_hash').primaryKey(),
    tenantId: text('tenant_id')
      .$type<TenantId>()
      .notNull()
      .references(() => tenants.id),
    createdMs: integer('created_ms').notNull(),
    expiresMs: integer('expires_ms').notNull(),
    /** The device that used it; null while it waits. */
    deviceId: text('device_id')
      .$type<DeviceId>()
      .references(() => devices.id),
  },
  (table) => [index('invitations_by_tenant').on(table.tenantId)],
);
