import { and, asc, eq, gte, lte, sql } from 'drizzle-orm';
import type { ApplianceDatabase } from './appliance-database.ts';
import { tenants } from './schema.ts';
import type { UsageQuery, UsageRecord, UsageSeen } from './tenant-records.ts';
import { tenantUsage } from './tenant-schema.ts';

/** The history of use, on the database thread. */
export function tenantUsageOperations(database: ApplianceDatabase) {
  return {
    /** Adds what was seen to the rows of its days; all of it or nothing. */
    recordUsage(seen: readonly UsageSeen[]): void {
      const record = () => {
        for (const row of seen) {
          database
            .insert(tenantUsage)
            .values({ ...row, usedBytesMax: row.usedBytes })
            .onConflictDoUpdate({
              target: [tenantUsage.tenantId, tenantUsage.day],
              set: {
                usedBytesMax: sql`max(used_bytes_max, ${row.usedBytes})`,
                usedBytes: row.usedBytes,
                quotaBytes: row.quotaBytes,
                devices: row.devices,
              },
            })
            .run();
        }
      };
      database.transaction(record, { behavior: 'immediate' });
    },

    /** By tenant in the order in which they were made, then by day. */
    listUsage({ tenantId, from, to }: UsageQuery): UsageRecord[] {
      const isAsked = and(
        gte(tenantUsage.day, from),
        lte(tenantUsage.day, to),
        tenantId === null ? undefined : eq(tenantUsage.tenantId, tenantId),
      );
      return database
        .select({
          tenantId: tenantUsage.tenantId,
          tenantName: tenants.name,
          managementCode: tenants.managementCode,
          day: tenantUsage.day,
          usedBytesMax: tenantUsage.usedBytesMax,
          usedBytes: tenantUsage.usedBytes,
          quotaBytes: tenantUsage.quotaBytes,
          devices: tenantUsage.devices,
        })
        .from(tenantUsage)
        .innerJoin(tenants, eq(tenants.id, tenantUsage.tenantId))
        .where(isAsked)
        .orderBy(asc(tenants.createdMs), asc(tenants.id), asc(tenantUsage.day))
        .all();
    },
  };
}
