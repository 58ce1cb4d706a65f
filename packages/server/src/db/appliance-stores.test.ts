import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newRandomId, type DeviceId, type TenantId } from '@cofre/shared/ids';
import { openApplianceStores, type ApplianceStores } from './appliance-stores.ts';
import type { Enrolment, NewTenantRecord } from './records.ts';

let folder: string;
let stores: ApplianceStores;
const fatal: unknown[] = [];

const open = () => openApplianceStores(folder, (error) => fatal.push(error));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-appliance-'));
  fatal.length = 0;
  stores = await open();
});

afterEach(async () => {
  await stores.close();
  rmSync(folder, { recursive: true });
});

function tenant(name: string): NewTenantRecord {
  return { id: newRandomId<TenantId>(), name, modules: 2, createdMs: 1000, suspendedMs: null };
}

function enrolment(changes: Partial<Enrolment> = {}): Enrolment {
  return {
    codeHash: 'c'.repeat(64),
    deviceId: newRandomId<DeviceId>(),
    name: 'notebook',
    platform: 'linux',
    agentVersion: '1',
    signingKey: 'a'.repeat(64),
    inbox: 'age1pq1',
    credentialHash: 'b'.repeat(64),
    nowMs: 2000,
    ...changes,
  };
}

async function invite(record: NewTenantRecord, expiresMs = 5000): Promise<void> {
  await stores.tenants.insert(record);
  await stores.ofTenant(record.id).insertInvitation({ codeHash: 'c'.repeat(64), createdMs: 1000, expiresMs });
}

test('a tenant is found again after the database was closed and opened', async () => {
  const record = tenant('Panadería');
  await stores.tenants.insert(record);
  await stores.close();
  stores = await open();
  expect(await stores.tenants.byId(record.id)).toMatchObject(record);
  expect(await stores.tenants.byName('Panadería')).toMatchObject(record);
  expect(await stores.tenants.list()).toMatchObject([record]);
});

test('a name is given once', async () => {
  await stores.tenants.insert(tenant('one'));
  await expect(stores.tenants.insert(tenant('one'))).rejects.toMatchObject({ code: 'already_exists' });
});

test('a code makes one device, and gives the same one when the same device asks again', async () => {
  const record = tenant('one');
  await invite(record);
  const first = enrolment();
  const enrolled = await stores.credentials.enrol(first);
  expect(enrolled).toEqual({ deviceId: first.deviceId, tenantId: record.id, tenantName: 'one' });
  expect(await stores.credentials.enrol(enrolment({ nowMs: 9000 }))).toEqual(enrolled);
  expect(await stores.ofTenant(record.id).listDevices()).toHaveLength(1);
});

test.each([
  ['another signing key', { signingKey: 'd'.repeat(64) }],
  ['the same signing key with another credential', { credentialHash: 'd'.repeat(64) }],
])('a used code refuses %s', async (_, changes) => {
  await invite(tenant('one'));
  await stores.credentials.enrol(enrolment());
  await expect(stores.credentials.enrol(enrolment(changes))).rejects.toMatchObject({
    code: 'enrolment_code_used',
  });
});

test('an unknown and an expired code are told apart, and make no device', async () => {
  const record = tenant('one');
  await invite(record, 2000);
  await expect(stores.credentials.enrol(enrolment())).rejects.toMatchObject({
    code: 'enrolment_code_expired',
  });
  await expect(stores.credentials.enrol(enrolment({ codeHash: 'e'.repeat(64) }))).rejects.toMatchObject({
    code: 'enrolment_code_unknown',
  });
  expect(await stores.ofTenant(record.id).listDevices()).toEqual([]);
});

test("a tenant's scope neither lists nor revokes another's device", async () => {
  const owner = tenant('owner');
  const stranger = tenant('stranger');
  await invite(owner);
  await stores.tenants.insert(stranger);
  const { deviceId } = await stores.credentials.enrol(enrolment());
  expect(await stores.ofTenant(stranger.id).listDevices()).toEqual([]);
  expect(await stores.ofTenant(stranger.id).revokeDevice(deviceId, 3000)).toBe(false);
  expect(await stores.credentials.find(deviceId)).toMatchObject({ isRevoked: false, tenantId: owner.id });
  expect(await stores.ofTenant(owner.id).revokeDevice(deviceId, 3000)).toBe(true);
  expect(await stores.ofTenant(owner.id).revokeDevice(deviceId, 4000)).toBe(false);
  expect(await stores.credentials.find(deviceId)).toMatchObject({ isRevoked: true });
  expect(await stores.tenants.countDevices()).toEqual(new Map());
});

test('an error that is not ours tells no parameter of the query', async () => {
  const invitation = { codeHash: 'very-secret-hash', createdMs: 1, expiresMs: 2 };
  const unknownTenant = stores.ofTenant(newRandomId<TenantId>()).insertInvitation(invitation);
  const error = await unknownTenant.then(
    () => null,
    (cause: unknown) => cause as Error,
  );
  expect(error).toMatchObject({ code: 'storage_failed' });
  expect(`${error?.stack} ${JSON.stringify(error)}`).not.toContain('very-secret-hash');
  expect(fatal).toEqual([]);
});

test('calls after close are refused', async () => {
  await stores.close();
  await expect(stores.tenants.list()).rejects.toMatchObject({ code: 'unavailable' });
  expect(fatal).toEqual([]);
});

test('a file that is no database is refused and left as it is', async () => {
  await stores.close();
  const file = join(folder, 'appliance.sqlite');
  writeFileSync(file, 'something else entirely, and long enough to be looked at as a header '.repeat(20));
  const before = readFileSync(file);
  await expect(open()).rejects.toMatchObject({ code: 'storage_failed' });
  expect(readFileSync(file).equals(before)).toBe(true);
});
