import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newRandomId, type TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openApplianceStores, type ApplianceStores } from './appliance-stores.ts';

let folder: string;
let stores: ApplianceStores;
const id = newRandomId<TenantId>();
const other = newRandomId<TenantId>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-tenant-life-'));
  stores = await openApplianceStores(folder, () => undefined);
  const tenant = { modules: 5, suspendedMs: null };
  await stores.tenants.insert({ ...tenant, id, name: 'one', createdMs: 1, managementCode: 'AAAA' });
  await stores.tenants.insert({ ...tenant, id: other, name: 'two', createdMs: 2, managementCode: 'BBBB' });
});

afterEach(async () => {
  await stores.close();
  rmSync(folder, { recursive: true });
});

const tenant = async () => await stores.tenants.byId(id);
const others = async () => await stores.tenants.byId(other);

test('a name is given once, and a change of it waits until the store says it too', async () => {
  const { tenantLife } = stores;
  await expect(tenantLife.renameTenant(id, 'two')).rejects.toMatchObject({ code: 'already_exists' });
  await tenantLife.renameTenant(id, 'one');
  expect(await tenant()).toMatchObject({ name: 'one', isDescribed: true });
  await tenantLife.renameTenant(id, 'three');
  expect(await tenant()).toMatchObject({ name: 'three', isDescribed: false });
  const said = { name: 'three', modules: 5, deletionDueMs: null };
  expect(await tenantLife.noteDescribed(id, { ...said, name: 'one' })).toBe(false);
  expect(await tenant()).toMatchObject({ isDescribed: false });
  expect(await tenantLife.noteDescribed(id, said)).toBe(true);
  expect(await tenant()).toMatchObject({ isDescribed: true });
});

test('an announced quota is in force from its time on, once', async () => {
  const { tenantLife } = stores;
  await tenantLife.setTenantQuota(id, { modules: 5, laterModules: 2, laterMs: 1000 });
  expect(await tenantLife.applyLaterQuota(id, 999)).toBe(false);
  expect(await tenant()).toMatchObject({ modules: 5, laterModules: 2 });
  expect(await tenantLife.applyLaterQuota(id, 1000)).toBe(true);
  expect(await tenantLife.applyLaterQuota(id, 2000)).toBe(false);
  expect(await tenant()).toMatchObject({ modules: 2, laterModules: null, laterMs: null, isDescribed: false });
  expect(await others()).toMatchObject({ modules: 5, isDescribed: true });
});

test('the word of the store is taken only where it differs', async () => {
  const { tenantLife } = stores;
  expect(await tenantLife.adoptDescription(id, { modules: 5, deletionDueMs: null }, 7)).toBe(false);
  expect(await tenantLife.adoptDescription(id, { modules: 9, deletionDueMs: 50 }, 7)).toBe(true);
  expect(await tenant()).toMatchObject({ modules: 9, deletionDueMs: 50, deletionAskedMs: 7 });
  await tenantLife.setTenantDeletion(id, null);
  expect(await tenant()).toMatchObject({ deletionDueMs: null, deletionAskedMs: null, isDescribed: false });
});

test('suspending twice is suspending once; codes are unique; a warning keeps its beginning', async () => {
  const { tenantLife } = stores;
  expect(await tenantLife.suspendTenant(id, 5)).toBe(true);
  expect(await tenantLife.suspendTenant(id, 6)).toBe(false);
  expect(await tenant()).toMatchObject({ suspendedMs: 5 });
  expect(await tenantLife.suspendTenant(id, null)).toBe(true);
  expect(await tenantLife.suspendTenant(id, null)).toBe(false);
  expect(await tenantLife.setManagementCode(id, 'BBBB')).toBe(false);
  expect(await tenantLife.setManagementCode(id, 'CCCC')).toBe(true);
  expect(await stores.tenants.byCode('CCCC')).toMatchObject({ id });
  await tenantLife.noteWarning(id, 80, 100);
  await tenantLife.noteWarning(id, 80, 200);
  expect(await tenant()).toMatchObject({ warnedPercent: 80, warnedMs: 100 });
  await tenantLife.noteWarning(id, 90, 300);
  expect(await tenant()).toMatchObject({ warnedPercent: 90, warnedMs: 300 });
  await tenantLife.noteWarning(id, 0, 400);
  expect(await tenant()).toMatchObject({ warnedPercent: 0, warnedMs: null });
});

const contact = (name: string, isMain = false) => ({
  id: newRandomId(),
  name,
  mail: '',
  phone: '',
  note: '',
  isMain,
  createdMs: 1,
  confirmedMs: 1,
});

test('of the contacts of a tenant exactly one is the main one, whatever happens to them', async () => {
  const { tenantLife } = stores;
  const [ana, ben, cid] = [contact('Ana'), contact('Ben'), contact('Cid', true)];
  for (const one of [ana, ben])
    await tenantLife.insertContact(id, { ...one, createdMs: one === ana ? 1 : 2 });
  const mains = async () =>
    (await tenantLife.listContacts(id)).filter(({ isMain }) => isMain).map(({ name }) => name);
  expect(await mains()).toEqual(['Ana']);
  await tenantLife.insertContact(id, { ...cid, createdMs: 3 });
  expect(await mains()).toEqual(['Cid']);
  expect(await tenantLife.updateContact(id, ben.id, { phone: '1' }, true, 9)).toBe(true);
  expect((await tenantLife.listContacts(id))[0]).toMatchObject({ name: 'Ben', phone: '1', confirmedMs: 9 });
  expect(await tenantLife.removeContact(id, ben.id)).toBe(true);
  expect(await mains()).toEqual(['Ana']);
  // Another tenant's contacts are as if they were not there.
  expect(await tenantLife.updateContact(other, ana.id, { name: 'x' }, true, 9)).toBe(false);
  expect(await tenantLife.removeContact(other, ana.id)).toBe(false);
  expect(await tenantLife.listContacts(other)).toEqual([]);
  for (const one of [ana, cid]) await tenantLife.removeContact(id, one.id);
  expect(await tenantLife.listContacts(id)).toEqual([]);
});

test('there are only so many contacts', async () => {
  for (let count = 0; count < LIMITS.contactsMax; count++) {
    await stores.tenantLife.insertContact(id, contact(`${count}`));
  }
  const more = stores.tenantLife.insertContact(id, contact('more'));
  await expect(more).rejects.toMatchObject({ code: 'limit_reached' });
});

test('a day is one row, with the most that was used and what was there at its end', async () => {
  const { tenantLife } = stores;
  const seen = { tenantId: id, day: '2026-03-04', quotaBytes: 100, devices: 1 };
  await tenantLife.recordUsage([{ ...seen, usedBytes: 40 }]);
  await tenantLife.recordUsage([
    { ...seen, usedBytes: 70 },
    { ...seen, tenantId: other, usedBytes: 1 },
  ]);
  await tenantLife.recordUsage([{ ...seen, usedBytes: 10, quotaBytes: 200, devices: 3 }]);
  await tenantLife.recordUsage([{ ...seen, day: '2026-03-05', usedBytes: 11 }]);
  const days = { from: '2026-03-04', to: '2026-03-04' };
  const rows = await tenantLife.listUsage({ ...days, tenantId: null });
  expect(rows).toEqual([
    {
      tenantId: id,
      tenantName: 'one',
      managementCode: 'AAAA',
      day: '2026-03-04',
      usedBytesMax: 70,
      usedBytes: 10,
      quotaBytes: 200,
      devices: 3,
    },
    expect.objectContaining({ tenantId: other, usedBytesMax: 1 }),
  ]);
  const mine = await tenantLife.listUsage({ tenantId: id, from: '2026-01-01', to: '2026-12-31' });
  expect(mine.map(({ day }) => day)).toEqual(['2026-03-04', '2026-03-05']);
});
