import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '@cofre/shared/limits';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openAppliance, type Appliance } from '../open-appliance.ts';
import { holdStoppedStore } from '../vault/rebuild/rebuild-store.ts';
import { summarizeTenants } from '../vault/rebuild/tenant-summary.ts';
import { reconcileDirectory } from './reconcile-directory.ts';

/** Directory and store of a real appliance, and a process that ends between the two. */

let folder: string;
let appliance: Appliance;

const folders = () => ({ dataFolder: join(folder, 'data'), storeFolder: join(folder, 'store') });
const open = () => openAppliance(folders(), (error) => expect.fail(String(error)));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-tenant-life-'));
  appliance = await open();
});

afterEach(async () => {
  await appliance.close();
  rmSync(folder, { recursive: true });
});

/** What the store says of its tenants, as a rebuild of the directory would take it. */
async function storeSays() {
  await appliance.close();
  const store = await holdStoppedStore(folders().dataFolder, folders().storeFolder);
  try {
    return await summarizeTenants(store);
  } finally {
    store.release();
    appliance = await open();
  }
}

test('after a crash between directory and store, the next start tells the store', async () => {
  const tenant = await appliance.tenants.create({ name: 'Acme', modules: 2 });
  const { tenantLife } = appliance.stores;
  await tenantLife.renameTenant(tenant.id, 'Sol');
  await tenantLife.setTenantQuota(tenant.id, { modules: 3, laterModules: null, laterMs: null });
  await tenantLife.setTenantDeletion(tenant.id, { askedMs: 1, dueMs: 5_000 });
  const before = (await storeSays()).get(tenant.id);
  expect(before).toMatchObject({
    name: 'Acme',
    quotaBytes: 2 * LIMITS.quotaModuleBytes,
    deletionDueMs: null,
  });
  const after = (await storeSays()).get(tenant.id);
  expect(after).toMatchObject({ name: 'Sol', quotaBytes: 3 * LIMITS.quotaModuleBytes, deletionDueMs: 5_000 });
  expect(await appliance.stores.tenants.byId(tenant.id)).toMatchObject({ isDescribed: true });
});

test('a directory that was put back takes quota and deletion from the store', async () => {
  const tenant = await appliance.tenants.create({ name: 'Acme', modules: 2 });
  const same = await appliance.tenants.create({ name: 'Same', modules: 2 });
  const said = { name: 'Acme', quotaBytes: 7 * LIMITS.quotaModuleBytes, deletionDueMs: 9_000 };
  await appliance.vaults.describeTenant(tenant.id, said);
  const summaries = await storeSays();
  const { adopted } = await reconcileDirectory(appliance.stores, summaries, 1_000);
  expect(adopted).toEqual([{ tenantId: tenant.id, name: 'Acme' }]);
  expect(await appliance.stores.tenants.byId(tenant.id)).toMatchObject({ modules: 7, deletionDueMs: 9_000 });
  // A vault that lost what it said has no word.
  const lost = new Map([...summaries].map(([id, known]) => [id, known && { ...known, quotaBytes: 0 }]));
  expect((await reconcileDirectory(appliance.stores, lost, 2_000)).adopted).toEqual([]);
  expect(await appliance.stores.tenants.byId(same.id)).toMatchObject({ modules: 2 });
});
