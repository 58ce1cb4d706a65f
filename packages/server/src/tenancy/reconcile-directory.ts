import { CofreError } from '@cofre/shared/errors';
import type { DeviceId, TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { ApplianceStores } from '../db/appliance-stores.ts';
import type { NewTenantRecord } from '../db/records.ts';
import { newManagementCode } from './management-code.ts';

/** What the vault of a tenant says about it. */
export interface KnownTenant {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly quotaBytes: number;
  readonly deletionDueMs: number | null;
  readonly createdMs: number;
  /** As its newest roster has them. */
  readonly devices: readonly { readonly deviceId: DeviceId; readonly isRevoked: boolean }[];
}

/** What was found when the directory was compared with the vaults, and what was done about it. */
export interface Reconciliation {
  /** Tenants that have a vault and were not listed: they are now. */
  readonly added: readonly { readonly tenantId: TenantId; readonly name: string }[];
  /** Tenants whose quota, or whose deletion, was another in the directory: it is now as the vault has it. */
  readonly adopted: readonly { readonly tenantId: TenantId; readonly name: string }[];
  /** Tenants that are listed and have no vault. Nothing was changed about them. */
  readonly withoutVault: readonly { readonly tenantId: TenantId; readonly name: string }[];
  /** Devices that a roster names and the directory does not know: they have to enrol again. */
  readonly unknownDevices: readonly { readonly tenantId: TenantId; readonly deviceId: DeviceId }[];
  /** Devices that were not known to be revoked: they are now. */
  readonly revoked: readonly { readonly tenantId: TenantId; readonly deviceId: DeviceId }[];
}

/**
 * Brings the directory in line with the vaults, whose word counts: it adds, revokes, and takes over quotas and what is
 * to be deleted.
 * @param vaults by tenant; null where nothing can be said because the index is lost
 * @param revokedBefore devices that another copy of the directory knew to be revoked
 */
export async function reconcileDirectory(
  stores: ApplianceStores,
  vaults: ReadonlyMap<TenantId, KnownTenant | null>,
  nowMs: number,
  revokedBefore: readonly { readonly tenantId: TenantId; readonly deviceId: DeviceId }[] = [],
): Promise<Reconciliation> {
  const listed = await stores.tenants.list();
  const known = new Map(listed.map(({ id, name }) => [id, name]));
  const added: { tenantId: TenantId; name: string }[] = [];
  const adopted: { tenantId: TenantId; name: string }[] = [];
  const unknownDevices: { tenantId: TenantId; deviceId: DeviceId }[] = [];
  const toRevoke = [...revokedBefore];
  const revoked: { tenantId: TenantId; deviceId: DeviceId }[] = [];
  for (const vault of vaults.values()) {
    if (vault === null) continue;
    const { tenantId } = vault;
    const name = known.get(tenantId);
    if (name === undefined) added.push({ tenantId, name: await addTenant(stores, vault, nowMs) });
    else if (await adopt(stores, vault, nowMs)) adopted.push({ tenantId, name });
    const devices = new Set((await stores.ofTenant(tenantId).listDevices()).map(({ id }) => id));
    for (const { deviceId, isRevoked } of vault.devices) {
      if (isRevoked) toRevoke.push({ tenantId, deviceId });
      else if (!devices.has(deviceId)) unknownDevices.push({ tenantId, deviceId });
    }
  }
  for (const { tenantId, deviceId } of toRevoke) {
    const isNew = await stores.ofTenant(tenantId).revokeDevice(deviceId, nowMs);
    if (isNew) revoked.push({ tenantId, deviceId });
  }
  const withoutVault = listed
    .filter(({ id }) => !vaults.has(id))
    .map(({ id, name }) => ({ tenantId: id, name }));
  return { added, adopted, withoutVault, unknownDevices, revoked };
}

/** @returns whether the directory had said something else */
async function adopt(stores: ApplianceStores, vault: KnownTenant, nowMs: number): Promise<boolean> {
  const modules = modulesOf(vault);
  // A vault that has lost what it said of its tenant has no word.
  if (modules === 0) return false;
  const { tenantId, deletionDueMs } = vault;
  return await stores.tenantLife.adoptDescription(tenantId, { modules, deletionDueMs }, nowMs);
}

/** @returns the name that it got: names are given once */
async function addTenant(stores: ApplianceStores, vault: KnownTenant, nowMs: number): Promise<string> {
  const short = vault.tenantId.slice(0, 8);
  const names = [vault.name, `${vault.name} ${short}`.trim(), vault.tenantId].filter((name) => name !== '');
  for (const name of names) {
    try {
      await stores.tenants.insert(recordOf(vault, name, nowMs));
      return name;
    } catch (error) {
      if (!(error instanceof CofreError) || error.code !== 'already_exists') throw error;
    }
  }
  throw new CofreError('already_exists', { what: `The tenant "${vault.name}"` });
}

function recordOf(vault: KnownTenant, name: string, nowMs: number): NewTenantRecord {
  const { tenantId, createdMs, deletionDueMs } = vault;
  return {
    id: tenantId,
    name,
    modules: modulesOf(vault),
    createdMs,
    suspendedMs: null,
    managementCode: newManagementCode(),
    deletionDueMs,
    deletionAskedMs: deletionDueMs === null ? null : nowMs,
  };
}

function modulesOf({ quotaBytes }: KnownTenant): number {
  return Math.floor(quotaBytes / LIMITS.quotaModuleBytes);
}
