import { and, eq, isNull, lte, sql, type SQL } from 'drizzle-orm';
import { CofreError } from '@cofre/shared/errors';
import type { TenantId } from '@cofre/shared/ids';
import type { ApplianceDatabase } from './appliance-database.ts';
import { tenants } from './schema.ts';

/** A quota, and a lower one that follows. */
export interface TenantQuota {
  readonly modules: number;
  readonly laterModules: number | null;
  readonly laterMs: number | null;
}

/** When a deletion was asked for, and from when on it may happen. */
export interface TenantDeletion {
  readonly askedMs: number;
  readonly dueMs: number;
}

/** What the directory and the store both say of a tenant. */
export interface TenantDescribed {
  readonly name: string;
  readonly modules: number;
  readonly deletionDueMs: number | null;
}

/**
 * size: a list of short statements, one for each change.
 *
 * What changes about a tenant, on the database thread. What the store says too marks the row as not described in the
 * same statement, so that a crash before the store has it is made good at the next start.
 */
export function tenantLifeOperations(database: ApplianceDatabase) {
  const update = (values: Partial<typeof tenants.$inferInsert>, where: SQL | undefined): boolean =>
    database.update(tenants).set(values).where(where).run().changes > 0;
  return {
    /** @throws CofreError `already_exists` */
    renameTenant(id: TenantId, name: string): void {
      const taken = database.select({ id: tenants.id }).from(tenants).where(eq(tenants.name, name)).get();
      if (taken?.id === id) return;
      if (taken !== undefined) throw new CofreError('already_exists', { what: `The tenant "${name}"` });
      update({ name, isDescribed: false }, eq(tenants.id, id));
    },

    /** False when it was so before. @param nowMs null to resume */
    suspendTenant(id: TenantId, nowMs: number | null): boolean {
      const isOther = nowMs === null ? sql`suspended_ms IS NOT NULL` : isNull(tenants.suspendedMs);
      return update({ suspendedMs: nowMs }, and(eq(tenants.id, id), isOther));
    },

    setTenantQuota(id: TenantId, quota: TenantQuota): boolean {
      return update({ ...quota, isDescribed: false }, eq(tenants.id, id));
    },

    /** Puts an announced quota in force when its time has come. False when none has. */
    applyLaterQuota(id: TenantId, nowMs: number): boolean {
      return update(
        {
          modules: sql`later_modules` as unknown as number,
          laterModules: null,
          laterMs: null,
          isDescribed: false,
        },
        and(eq(tenants.id, id), lte(tenants.laterMs, nowMs)),
      );
    },

    /** @param deletion null to keep the tenant after all */
    setTenantDeletion(id: TenantId, deletion: TenantDeletion | null): boolean {
      return update(
        {
          deletionAskedMs: deletion?.askedMs ?? null,
          deletionDueMs: deletion?.dueMs ?? null,
          isDescribed: false,
        },
        eq(tenants.id, id),
      );
    },

    /** The store says this now. Nothing is noted when the directory says something else by then. */
    noteDescribed(id: TenantId, { name, modules, deletionDueMs }: TenantDescribed): boolean {
      const isSame = and(
        eq(tenants.name, name),
        eq(tenants.modules, modules),
        sql`deletion_due_ms IS ${deletionDueMs}`,
      );
      return update({ isDescribed: true }, and(eq(tenants.id, id), isSame));
    },

    /** Takes the word of the store. An announced quota stays announced. */
    adoptDescription(id: TenantId, said: Omit<TenantDescribed, 'name'>, nowMs: number): boolean {
      const { modules, deletionDueMs } = said;
      const isOther = sql`(modules <> ${modules} OR deletion_due_ms IS NOT ${deletionDueMs} OR is_described = 0)`;
      return update(
        { modules, deletionDueMs, deletionAskedMs: deletionDueMs === null ? null : nowMs, isDescribed: true },
        and(eq(tenants.id, id), isOther),
      );
    },

    /** False when another tenant has this code. */
    setManagementCode(id: TenantId, managementCode: string): boolean {
      const isTaken = database
        .select({ id: tenants.id })
        .from(tenants)
        .where(eq(tenants.managementCode, managementCode))
        .get();
      return isTaken === undefined && update({ managementCode }, eq(tenants.id, id));
    },

    noteWarning(id: TenantId, warnedPercent: number, nowMs: number): boolean {
      const warnedMs = warnedPercent === 0 ? null : nowMs;
      return update(
        { warnedPercent, warnedMs },
        and(eq(tenants.id, id), sql`warned_percent <> ${warnedPercent}`),
      );
    },
  };
}
