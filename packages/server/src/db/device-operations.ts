import { and, asc, eq, isNull } from 'drizzle-orm';
import type { DeviceId, TenantId } from '@cofre/shared/ids';
import type { ApplianceDatabase } from './appliance-database.ts';
import type { CredentialRecord, DeviceRecord } from './records.ts';
import { devices, tenants } from './schema.ts';

/** Devices, on the database thread: all but `credential` and `noteSeen` take the tenant whose devices they are. */
export function deviceOperations(database: ApplianceDatabase) {
  return {
    /** By the device's id alone: it is this answer that says which tenant a credential belongs to. */
    credential(deviceId: DeviceId): CredentialRecord | null {
      const row = database
        .select({ device: devices, tenant: tenants })
        .from(devices)
        .innerJoin(tenants, eq(tenants.id, devices.tenantId))
        .where(eq(devices.id, deviceId))
        .get();
      return row === undefined ? null : credentialFrom(row);
    },

    noteSeen(deviceId: DeviceId, nowMs: number): void {
      database.update(devices).set({ lastSeenMs: nowMs }).where(eq(devices.id, deviceId)).run();
    },

    listDevices(tenantId: TenantId): DeviceRecord[] {
      return database
        .select(deviceColumns)
        .from(devices)
        .where(eq(devices.tenantId, tenantId))
        .orderBy(asc(devices.createdMs), asc(devices.id))
        .all();
    },

    /** False when the tenant has no such device, or it was revoked before. */
    revokeDevice(tenantId: TenantId, deviceId: DeviceId, nowMs: number): boolean {
      const { changes } = database
        .update(devices)
        .set({ revokedMs: nowMs })
        .where(and(eq(devices.tenantId, tenantId), eq(devices.id, deviceId), isNull(devices.revokedMs)))
        .run();
      return changes === 1;
    },
  };
}

const deviceColumns = {
  id: devices.id,
  name: devices.name,
  platform: devices.platform,
  agentVersion: devices.agentVersion,
  createdMs: devices.createdMs,
  lastSeenMs: devices.lastSeenMs,
  revokedMs: devices.revokedMs,
};

type JoinedRow = { device: typeof devices.$inferSelect; tenant: typeof tenants.$inferSelect };

function credentialFrom({ device, tenant }: JoinedRow): CredentialRecord {
  return {
    deviceId: device.id,
    deviceName: device.name,
    tenantId: tenant.id,
    tenantName: tenant.name,
    tenantModules: tenant.modules,
    isTenantSuspended: tenant.suspendedMs !== null || tenant.deletionDueMs !== null,
    signingKey: device.signingKey,
    credentialHash: device.credentialHash,
    isRevoked: device.revokedMs !== null,
    lastSeenMs: device.lastSeenMs,
  };
}
