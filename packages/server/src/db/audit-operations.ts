import { and, asc, desc, eq, gt, isNull, type SQL } from 'drizzle-orm';
import type { AuditActor } from '@cofre/shared/wire/audit';
import type { ApplianceDatabase } from './appliance-database.ts';
import { AUDIT_BEGINNING, detailsText, hashOfEntry } from './audit-chain.ts';
import { auditEntries } from './audit-schema.ts';
import type { AuditRecord, NewAuditEntry, TenantFilter } from './people-records.ts';

/** The audit log, on the database thread. */
export function auditOperations(database: ApplianceDatabase) {
  return {
    /** All of them or none. */
    appendAudit(entries: readonly NewAuditEntry[]): void {
      database.transaction(() => appendEntries(database, entries), { behavior: 'immediate' });
    },

    auditPage(whose: TenantFilter, after: number, limit: number): AuditRecord[] {
      return database
        .select()
        .from(auditEntries)
        .where(and(gt(auditEntries.number, after), isTheirs(whose)))
        .orderBy(asc(auditEntries.number))
        .limit(limit)
        .all()
        .map(recordFrom);
    },

    auditHead(): { number: number; hash: string } {
      return headOf(database);
    },
  };
}

function isTheirs(whose: TenantFilter): SQL | undefined {
  if (whose === 'all') return undefined;
  return whose === null ? isNull(auditEntries.tenantId) : eq(auditEntries.tenantId, whose);
}

/** Adds entries to the chain, within the caller's transaction. */
export function appendEntries(database: ApplianceDatabase, entries: readonly NewAuditEntry[]): void {
  let { number, hash: previous } = headOf(database);
  for (const entry of entries) {
    number += 1;
    const hash = hashOfEntry(entry, number, previous);
    const { actor, details: _, ...fields } = entry;
    database
      .insert(auditEntries)
      .values({
        ...fields,
        number,
        previous,
        hash,
        details: detailsText(entry),
        actorKind: actor.kind,
        actorId: actor.id,
        actorName: actor.name,
        actorRole: actor.role,
      })
      .run();
    previous = hash;
  }
}

function headOf(database: ApplianceDatabase): { number: number; hash: string } {
  const newest = database
    .select({ number: auditEntries.number, hash: auditEntries.hash })
    .from(auditEntries)
    .orderBy(desc(auditEntries.number))
    .limit(1)
    .get();
  return newest ?? { number: 0, hash: AUDIT_BEGINNING };
}

function recordFrom(row: typeof auditEntries.$inferSelect): AuditRecord {
  const { actorKind, actorId, actorName, actorRole, details, ...fields } = row;
  return {
    ...fields,
    actor: { kind: actorKind as AuditActor['kind'], id: actorId, name: actorName, role: actorRole },
    details: JSON.parse(details) as AuditRecord['details'],
  };
}
