import type { TenantId } from '@cofre/shared/ids';
import type { AuditAction } from '@cofre/shared/wire/audit';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/**
 * Who did what, when and where. Triggers (in the migration) refuse every update and every deletion. There is no
 * reference to tenants or people: what happened stays when they are gone.
 */
export const auditEntries = sqliteTable(
  'audit_entries',
  {
    number: integer('number').primaryKey(),
    timeMs: integer('time_ms').notNull(),
    /** Whose part of the log it is in; null: the provider's alone. */
    tenantId: text('tenant_id').$type<TenantId>(),
    actorKind: text('actor_kind').notNull(),
    actorId: text('actor_id'),
    actorName: text('actor_name'),
    actorRole: text('actor_role'),
    action: text('action').$type<AuditAction>().notNull(),
    target: text('target'),
    /** JSON, as it was hashed. */
    details: text('details').notNull(),
    address: text('address'),
    requestId: text('request_id'),
    previous: text('previous').notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [index('audit_entries_by_tenant').on(table.tenantId, table.number)],
);
