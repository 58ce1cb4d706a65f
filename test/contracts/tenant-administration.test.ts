import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createAdministrationApp } from '@cofre/server/app';
import type { Administration } from '@cofre/server/administration/administration';
import { RemoteAdministration } from '@cofre/server/administration/remote-administration';
import { createWebServer } from '@cofre/server/http/web-server';
import { TenantLife } from '@cofre/server/tenancy/tenant-life';
import { TenantUsage } from '@cofre/server/tenancy/tenant-usage';
import { Tenants } from '@cofre/server/tenancy/tenants';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serveApp, type ServedApp } from '../builders/served-app.ts';
import { KeptLog } from '../fakes/kept-log.ts';
import { MemoryVaults, type MemoryVault } from '../fakes/memory-vaults.ts';

const DAY_MS = 86_400_000;
const MODULE = LIMITS.quotaModuleBytes;

let served: ServedApp;
let vaults: MemoryVaults;
let remote: Awaited<ReturnType<typeof serveRemote>>;
let vault: MemoryVault;
let usage: TenantUsage;
let life: TenantLife;

beforeEach(async () => {
  vaults = new MemoryVaults();
  served = await serveApp(vaults);
  remote = await serveRemote();
  const { tenantId } = await served.administration.createTenant({ name: 'Acme', modules: 10 });
  vault = await vaults.open(tenantId);
  const clock = () => served.time.nowMs;
  const services = { tenants: new Tenants(served.stores.tenants, vaults, clock), vaults, clock };
  usage = new TenantUsage({ ...services, stores: served.stores });
  life = new TenantLife({ ...services, stores: served.stores });
});

afterEach(async () => {
  await remote.close();
  await served.close();
});

/** The administration of the running server, as the command line reaches it. */
async function serveRemote() {
  const server = createWebServer(createAdministrationApp(served.administration, new KeptLog()), null);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const administration = new RemoteAdministration(async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  });
  return {
    administration,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** size: one suite, which both ways to administer have to pass. */
const { signal } = new AbortController();
const inDays = (days: number): string => new Date(served.time.nowMs + days * DAY_MS).toISOString();

describe.each([
  ['on the services', (): Administration => served.administration],
  ['over the socket', (): Administration => remote.administration],
])('tenants %s', (_, administration: () => Administration) => {
  const tenants = (): Administration['tenants'] => administration().tenants;

  test('a tenant gets another name, which the store says too, and keeps its id and code', async () => {
    const before = (await tenants().show('Acme')).tenant;
    expect((await tenants().rename('Acme', 'Sol')).tenant).toEqual({ ...before, name: 'Sol' });
    expect(vaults.described.get(before.tenantId)).toMatchObject({ name: 'Sol', quotaBytes: 10 * MODULE });
    await expect(tenants().show('Acme')).rejects.toMatchObject({ code: 'not_found' });
    const code = String(before.managementCode).toLowerCase().replaceAll('-', ' ');
    expect((await tenants().show(code)).tenant.name).toBe('Sol');
    await administration().createTenant({ name: 'Other', modules: 1 });
    await expect(tenants().rename('Sol', 'Other')).rejects.toMatchObject({ code: 'already_exists' });
  });

  test('a suspension has a beginning and an end', async () => {
    const since = inDays(0);
    expect((await tenants().suspend('Acme')).tenant.suspended).toBe(since);
    served.time.nowMs += DAY_MS;
    expect((await tenants().suspend('Acme')).tenant.suspended).toBe(since);
    expect((await tenants().resume('Acme')).tenant.suspended).toBeNull();
  });

  test('a quota is raised and lowered at once, and never below what is used', async () => {
    const { tenantId } = (await tenants().setModules('Acme', { modules: 20 })).tenant;
    expect(vaults.quotas.get(tenantId)).toBe(20 * MODULE);
    vault.usedBytes = 5 * MODULE + 1;
    const lower = tenants().setModules('Acme', { modules: 5 });
    await expect(lower).rejects.toMatchObject({ code: 'quota_below_use', parameters: { modules: 6 } });
    expect(vaults.quotas.get(tenantId)).toBe(20 * MODULE);
    expect((await tenants().setModules('Acme', { modules: 6 })).tenant).toMatchObject({ modules: 6 });
    expect(vaults.quotas.get(tenantId)).toBe(6 * MODULE);
    // More than before fits, though what is used is more still.
    vault.usedBytes = 50 * MODULE;
    expect((await tenants().setModules('Acme', { modules: 7 })).tenant.modules).toBe(7);
  });

  test('with a grace the old quota is in force until the date, and the lower one from then on', async () => {
    vault.usedBytes = 5 * MODULE;
    const from = inDays(30);
    const { tenant } = await tenants().setModules('Acme', { modules: 2, graceDays: 30 });
    const laterQuota = { modules: 2, quotaBytes: 2 * MODULE, from };
    expect(tenant).toMatchObject({ modules: 10, quotaBytes: 10 * MODULE, laterQuota });
    served.time.nowMs += 30 * DAY_MS - 1;
    await usage.lookAtAll(signal);
    expect(vaults.quotas.get(tenant.tenantId)).toBe(10 * MODULE);
    served.time.nowMs += 1;
    await usage.lookAtAll(signal);
    expect((await tenants().show('Acme')).tenant).toMatchObject({ modules: 2, laterQuota: null });
    expect(vaults.quotas.get(tenant.tenantId)).toBe(2 * MODULE);
    const higher = tenants().setModules('Acme', { modules: 3, graceDays: 1 });
    await expect(higher).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('another quota takes an announced one back', async () => {
    await tenants().setModules('Acme', { modules: 2, graceDays: 1 });
    expect((await tenants().setModules('Acme', { modules: 10 })).tenant.laterQuota).toBeNull();
    served.time.nowMs += 2 * DAY_MS;
    await usage.lookAtAll(signal);
    expect((await tenants().show('Acme')).tenant.modules).toBe(10);
  });

  test('a full quota is warned of, since when it was first seen', async () => {
    expect((await tenants().show('Acme')).tenant.warning).toBeNull();
    vault.usedBytes = 8 * MODULE;
    const since = inDays(0);
    await usage.lookAtAll(signal);
    served.time.nowMs += DAY_MS;
    await usage.lookAtAll(signal);
    expect((await administration().listTenants())[0]?.warning).toEqual({ percent: 80, since });
    vault.usedBytes = 10 * MODULE;
    expect((await tenants().show('Acme')).tenant.warning).toEqual({ percent: 100, since: inDays(0) });
  });

  test('a deletion waits for its days, and can be taken back; the store says it meanwhile', async () => {
    const { tenant } = await tenants().scheduleDeletion('Acme', { days: 30 });
    expect(tenant.deletion).toEqual({ asked: inDays(0), due: inDays(30) });
    expect(vaults.described.get(tenant.tenantId)).toMatchObject({
      deletionDueMs: served.time.nowMs + 30 * DAY_MS,
    });
    const again = tenants().scheduleDeletion('Acme', { days: 1 });
    await expect(again).rejects.toMatchObject({ code: 'deletion_scheduled' });
    expect((await tenants().keep('Acme')).tenant.deletion).toBeNull();
    expect(vaults.described.get(tenant.tenantId)).toMatchObject({ deletionDueMs: null });
  });

  test('nothing is to be deleted within its lock time', async () => {
    vault.lastLockMs = served.time.nowMs + 90 * DAY_MS;
    const { tenant } = await tenants().scheduleDeletion('Acme', { days: 30 });
    expect(tenant.deletion?.due).toBe(inDays(90));
  });

  test('a code is renewed, and the old one leads nowhere', async () => {
    const { managementCode } = (await tenants().show('Acme')).tenant;
    const renewed = (await tenants().renewCode('Acme')).tenant.managementCode;
    expect(renewed).not.toBe(managementCode);
    await expect(tenants().show(String(managementCode))).rejects.toMatchObject({ code: 'not_found' });
    expect((await tenants().show(String(renewed))).tenant.name).toBe('Acme');
  });

  test('a contact is asked for again after a year, and confirmed for another', async () => {
    const content = { mail: 'ana@example.com', phone: '', note: '', isMain: false };
    await tenants().addContact('Acme', { ...content, name: 'Ana' });
    await tenants().addContact('Acme', { ...content, name: 'Ben' });
    served.time.nowMs += LIMITS.contactConfirmMs;
    const { contacts } = await tenants().changeContact('Acme', 'Ben', { isMain: true, phone: '12' });
    expect(contacts).toMatchObject([
      { name: 'Ben', phone: '12', mail: 'ana@example.com', isMain: true, isDue: false },
      { name: 'Ana', isMain: false, isDue: true, confirmBefore: inDays(0) },
    ]);
    const id = String(contacts[1]?.contactId);
    const confirmed = (await tenants().changeContact('Acme', id.slice(0, 8), {})).contacts;
    expect(confirmed[1]).toMatchObject({ name: 'Ana', isDue: false, confirmed: inDays(0) });
    expect((await tenants().removeContact('Acme', 'Ben')).contacts).toMatchObject([{ isMain: true }]);
    await expect(tenants().removeContact('Acme', 'Ben')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('each day has a row, for one tenant and for all', async () => {
    await administration().createTenant({ name: 'Other', modules: 1 });
    for (const usedBytes of [100, 300, 200]) {
      vault.usedBytes = usedBytes;
      await usage.lookAtAll(signal);
    }
    served.time.nowMs += DAY_MS;
    await usage.lookAtAll(signal);
    const rows = await tenants().usage('Acme', {});
    expect(rows).toMatchObject([
      { day: '2026-03-04', usedBytesMax: 300, usedBytes: 200, quotaBytes: 10 * MODULE, devices: 0 },
      { day: '2026-03-05', usedBytesMax: 200, usedBytes: 200, tenantName: 'Acme' },
    ]);
    expect(await tenants().usage(null, { from: '2026-03-05' })).toHaveLength(2);
    expect(await tenants().usage('Acme', { to: '2026-03-04' })).toHaveLength(1);
    for (const query of [
      { from: '2026-03-05', to: '2026-03-04' },
      { from: '2020-01-01', to: '2026-01-01' },
    ]) {
      await expect(tenants().usage('Acme', query)).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });
});

test('what the store could not be told is told at the next turn, and the next start', async () => {
  const { tenantId } = (await served.administration.tenants.show('Acme')).tenant;
  const describeTenant = vaults.describeTenant.bind(vaults);
  vaults.describeTenant = () => Promise.reject(new CofreError('storage_full'));
  const { tenants } = served.administration;
  await expect(tenants.setModules('Acme', { modules: 30 })).rejects.toMatchObject({ code: 'storage_full' });
  await expect(tenants.scheduleDeletion('Acme', { days: 5 })).rejects.toMatchObject({ code: 'storage_full' });
  expect(vaults.quotas.get(tenantId)).toBe(10 * MODULE);
  // Such a tenant is counted all the same, and said to have failed.
  const { failures } = await usage.lookAtAll(signal);
  expect(failures).toMatchObject([{ tenantId }]);
  expect(await tenants.usage('Acme', {})).toHaveLength(1);
  await life.settleAll();
  vaults.describeTenant = describeTenant;
  await life.settleAll();
  expect(vaults.quotas.get(tenantId)).toBe(30 * MODULE);
  expect(vaults.described.get(tenantId)?.deletionDueMs).toBe(served.time.nowMs + 5 * DAY_MS);
  expect(await served.stores.tenants.byId(tenantId)).toMatchObject({ isDescribed: true });
});
