import { asc, count, eq, isNull } from 'drizzle-orm';
import { CofreError } from '@cofre/shared/errors';
import type { TenantId } from '@cofre/shared/ids';
import type { ApplianceDatabase } from './appliance-database.ts';
import type { NewTenantRecord, TenantRecord } from './records.ts';
import { devices, tenants } from './schema.ts';

/** The directory of tenants. These run on the database thread, each a bounded statement. */
export function tenantOperations(database: ApplianceDatabase) {
  return {
    /** @throws CofreError `already_exists` */
    insertTenant(tenant: NewTenantRecord): void {
      const { changes } = database.insert(tenants).values(tenant).onConflictDoNothing().run();
      if (changes === 0) throw new CofreError('already_exists', { what: `The tenant "${tenant.name}"` });
    },

    listTenants(): TenantRecord[] {
      return database.select().from(tenants).orderBy(asc(tenants.createdMs), asc(tenants.id)).all();
    },

    tenantById(id: TenantId): TenantRecord | null {
      return database.select().from(tenants).where(eq(tenants.id, id)).get() ?? null;
    },

    tenantByName(name: string): TenantRecord | null {
      return database.select().from(tenants).where(eq(tenants.name, name)).get() ?? null;
    },

    tenantByCode(managementCode: string): TenantRecord | null {
      return database.select().from(tenants).where(eq(tenants.managementCode, managementCode)).get() ?? null;
    },

    /** Devices that are not revoked, by tenant; tenants without one are left out. */
    countDevices(): [tenantId: TenantId, devices: number][] {
      const rows = database
        .select({ tenantId: devices.tenantId, devices: count() })
        .from(devices)
        .where(isNull(devices.revokedMs))
        .groupBy(devices.tenantId)
        .all();
      return rows.map((row) => [row.tenantId, row.devices]);
    },
  };
}
