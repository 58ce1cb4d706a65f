import type { TenantId } from '@cofre/shared/ids';
import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { tenants } from './schema.ts';

/** Whom the provider calls or writes to; one of them is the main one. */
export const tenantContacts = sqliteTable(
  'tenant_contacts',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id')
      .$type<TenantId>()
      .notNull()
      .references(() => tenants.id),
    name: text('name').notNull(),
    mail: text('mail').notNull(),
    phone: text('phone').notNull(),
    note: text('note').notNull(),
    isMain: integer('is_main', { mode: 'boolean' }).notNull(),
    createdMs: integer('created_ms').notNull(),
    /** When somebody last asked whether this is still right. */
    confirmedMs: integer('confirmed_ms').notNull(),
  },
  (table) => [
    index('tenant_contacts_by_tenant').on(table.tenantId),
    uniqueIndex('tenant_contacts_one_main')
      .on(table.tenantId)
      .where(sql`is_main = 1`),
  ],
);

/** What a tenant used and had, for bills: a row for each day (UTC) on which the server ran. */
export const tenantUsage = sqliteTable(
  'tenant_usage',
  {
    tenantId: text('tenant_id')
      .$type<TenantId>()
      .notNull()
      .references(() => tenants.id),
    /** Such as 2026-03-04. */
    day: text('day').notNull(),
    usedBytesMax: integer('used_bytes_max').notNull(),
    /** These three as they were when the day was looked at last. */
    usedBytes: integer('used_bytes').notNull(),
    quotaBytes: integer('quota_bytes').notNull(),
    devices: integer('devices').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.day] })],
);
