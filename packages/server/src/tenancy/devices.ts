import { CofreError } from '@cofre/shared/errors';
import type { DeviceItem } from '@cofre/shared/wire/snapshots';
import type { QuotaWarning } from '@cofre/shared/wire/tenant-state';
import type { AuthenticatedDevice } from '../auth/authenticated-device.ts';
import type { ApplianceStores, TenantScope } from '../db/appliance-stores.ts';
import type { DeviceRecord } from '../db/records.ts';
import { quotaWarningOf } from './quota-warning.ts';

const ID_BEGINNING = /^[0-9a-f]{6,32}$/;

/**
 * One device of the tenant that is not revoked yet.
 * @param reference its id, the beginning of one (6 characters and more), or its name
 * @throws CofreError `not_found`, `ambiguous`
 */
export async function findDevice(scope: TenantScope, reference: string): Promise<DeviceRecord> {
  const devices = (await scope.listDevices()).filter(({ revokedMs }) => revokedMs === null);
  const named = devices.filter(
    ({ id, name }) => name === reference || (ID_BEGINNING.test(reference) && id.startsWith(reference)),
  );
  const [device] = named;
  if (device === undefined) throw new CofreError('not_found', { what: `device "${reference}"` });
  if (named.length > 1) throw new CofreError('ambiguous', { what: `"${reference}"` });
  return device;
}

/** What a device may know of its own tenant. */
export class DeviceDirectory {
  readonly #stores: ApplianceStores;

  constructor(stores: ApplianceStores) {
    this.#stores = stores;
  }

  /** How full the tenant's quota is. */
  async quotaWarning(
    reader: AuthenticatedDevice,
    use: { readonly usedBytes: number; readonly quotaBytes: number },
    nowMs: number,
  ): Promise<QuotaWarning | null> {
    const tenant = await this.#stores.tenants.byId(reader.tenantId);
    return tenant === null ? null : quotaWarningOf(tenant, use, nowMs);
  }

  /** Revoked ones too: what they brought can still be restored. */
  async visibleTo(reader: AuthenticatedDevice): Promise<DeviceItem[]> {
    const devices = await this.#stores.ofTenant(reader.tenantId).listDevices();
    return devices
      .filter(({ id }) => reader.readsTenant || id === reader.deviceId)
      .map(({ id, name, createdMs }) => ({
        deviceId: id,
        name,
        enrolled: new Date(createdMs).toISOString(),
      }));
  }
}
