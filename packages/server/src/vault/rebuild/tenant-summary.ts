import type { DeviceId, TenantId } from '@cofre/shared/ids';
import { isThere } from '../../platform/is-there.ts';
import { IndexConnection } from '../index/connection.ts';
import { findDescription } from '../index/objects.store.ts';
import { findCreated, listRosterDevices } from '../index/rebuild.store.ts';
import { VaultLayout } from '../layout.ts';
import { decodeTenantDescription } from '../objects/tenant-description.ts';
import { listTenants } from '../store-pairing.ts';
import type { StoppedStore } from './rebuild-store.ts';

/** What a vault says about its tenant: enough to list it. */
export interface TenantSummary {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly quotaBytes: number;
  /** When it may be deleted; null when nobody asked for that. */
  readonly deletionDueMs: number | null;
  readonly createdMs: number;
  /** As the newest roster has them. */
  readonly devices: readonly { readonly deviceId: DeviceId; readonly isRevoked: boolean }[];
}

/** Of each tenant of a stopped store; null for one whose index is lost. */
export async function summarizeTenants(store: StoppedStore): Promise<Map<TenantId, TenantSummary | null>> {
  const summaries = new Map<TenantId, TenantSummary | null>();
  for (const tenantId of await listTenants(store.storeFolder)) {
    const { database } = new VaultLayout(store.dataFolder, store.storeFolder, tenantId);
    summaries.set(tenantId, (await isThere(database)) ? summarize(tenantId, database) : null);
  }
  return summaries;
}

function summarize(tenantId: TenantId, database: string): TenantSummary {
  const index = new IndexConnection(database);
  try {
    const row = findDescription(index);
    const description = row === null ? null : decodeTenantDescription(row.bytes);
    return {
      tenantId,
      name: description?.name ?? '',
      quotaBytes: description?.quotaBytes ?? 0,
      deletionDueMs: description?.deletionDueMs ?? null,
      createdMs: findCreated(index),
      devices: listRosterDevices(index).map(({ deviceId, isRevoked }) => ({
        deviceId: deviceId as DeviceId,
        isRevoked,
      })),
    };
  } finally {
    index.close();
  }
}
