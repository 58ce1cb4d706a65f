import { CofreError } from '@cofre/shared/errors';
import type { TenantId } from '@cofre/shared/ids';
import { readLastSettings } from './administration/last-settings.ts';
import type { ApplianceSettings } from './cli/settings.ts';
import type { AcceptedRebuild, RebuildReport, RebuildRequest } from './cli/stopped-commands.ts';
import { DATABASE_FILE, openApplianceStores, type ApplianceStores } from './db/appliance-stores.ts';
import { reconcileDirectory } from './tenancy/reconcile-directory.ts';
import {
  acceptRebuilt,
  holdStoppedStore,
  rebuildVaults,
  type StoppedStore,
} from './vault/rebuild/rebuild-store.ts';
import { summarizeTenants } from './vault/rebuild/tenant-summary.ts';

/** Makes indexes anew from the store, and adds to the directory what it does not list. */
export async function rebuildFiles(
  settings: ApplianceSettings,
  { tenant, readsAll }: RebuildRequest,
  onBytes: (bytes: number) => void,
): Promise<RebuildReport> {
  return await withStoppedFiles(settings, async (store, stores) => {
    const startedMs = performance.now();
    let readBytes = 0;
    const summaries = await summarizeTenants(store);
    const tenants =
      tenant === null ? [...summaries.keys()] : [await findTenant(stores, [...summaries.keys()], tenant)];
    const count = (bytes: number): void => onBytes((readBytes += bytes));
    const vaults = await rebuildVaults(store, { tenants, readsAll, onBytes: count });
    const durationMs = Math.round(performance.now() - startedMs);
    const directory = await reconcileDirectory(stores, await summarizeTenants(store), Date.now());
    const storeBytes = vaults.reduce((sum, { storeBytes: bytes }) => sum + bytes, 0);
    return { vaults, readBytes, storeBytes, durationMs, directory };
  });
}

/** Lets a rebuilt vault be written to again. */
export async function acceptRebuiltFiles(
  settings: ApplianceSettings,
  tenant: string,
): Promise<AcceptedRebuild> {
  return await withStoppedFiles(settings, async (store, stores) => {
    const tenantId = await findTenant(stores, [...(await summarizeTenants(store)).keys()], tenant);
    return { tenantId, reason: await acceptRebuilt(store, tenantId) };
  });
}

/** Holds the files of a stopped appliance, its directory opened. */
async function withStoppedFiles<Result>(
  settings: ApplianceSettings,
  work: (store: StoppedStore, stores: ApplianceStores) => Promise<Result>,
): Promise<Result> {
  return await withStoppedStore(settings, (store) =>
    withApplianceStores(store.dataFolder, DATABASE_FILE, (stores) => work(store, stores)),
  );
}

/**
 * Holds the files of a stopped appliance. Which store it is, if nobody says, is as when the server ran last.
 * @throws CofreError `busy` while a server has them, `settings_invalid`
 */
export async function withStoppedStore<Result>(
  { dataFolder, storeFolder: given }: ApplianceSettings,
  work: (store: StoppedStore) => Promise<Result>,
): Promise<Result> {
  const storeFolder = given ?? (await readLastSettings(dataFolder))?.storeFolder;
  if (storeFolder === undefined) {
    throw new CofreError('settings_invalid', { setting: '--store', problem: 'it is missing' });
  }
  const store = await holdStoppedStore(dataFolder, storeFolder);
  try {
    return await work(store);
  } finally {
    store.release();
  }
}

/** Opens an appliance's database of this name for as long as the work takes. The caller holds its folder. */
export async function withApplianceStores<Result>(
  dataFolder: string,
  name: string,
  work: (stores: ApplianceStores) => Promise<Result>,
): Promise<Result> {
  const failed = Promise.withResolvers<never>();
  const stores = await openApplianceStores(dataFolder, failed.reject, name);
  try {
    return await Promise.race([work(stores), failed.promise]);
  } finally {
    await stores.close();
  }
}

/** By id, which the store knows, or by name, which the directory does. */
async function findTenant(
  stores: ApplianceStores,
  inStore: readonly TenantId[],
  reference: string,
): Promise<TenantId> {
  const byId = inStore.find((id) => id === reference);
  const tenantId = byId ?? (await stores.tenants.byName(reference))?.id;
  if (tenantId === undefined) throw new CofreError('not_found', { what: `tenant "${reference}"` });
  return tenantId;
}
