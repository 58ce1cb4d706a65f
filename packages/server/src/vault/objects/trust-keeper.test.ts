import { encodeReadGrant } from '@cofre/shared/format/envelope/read-grant';
import { encodeSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { sha256 } from '@cofre/shared/hash';
import { newRandomId, type TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { signingKeyFromSeed } from '@cofre/shared/signature';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  addSampleDevice,
  addSampleTenant,
  openSampleVaults,
  verifyAll,
  type OpenedVaults,
} from '../../../../../test/builders/sample-vault.ts';
import {
  sampleDomainObject,
  sampleKeyringObject,
  sampleRoster,
  type SampleDevice,
} from '../../../../../test/builders/vault-samples.ts';
import type { Vault } from '../vault.ts';

const authority = signingKeyFromSeed(Buffer.alloc(32, 1));
const authorityKey = authority.publicKey.toString('hex');
const rival = signingKeyFromSeed(Buffer.alloc(32, 2));

let opened: OpenedVaults;
let vault: Vault;
let device: SampleDevice;

beforeAll(async () => {
  opened = await openSampleVaults();
});

afterAll(async () => {
  await opened.remove();
});

beforeEach(async () => {
  ({ vault, device } = await addSampleTenant(opened));
});

const refused = (code: string) => expect.objectContaining({ code });

function after(roster: Buffer, version: number) {
  return { version, previous: sha256(roster).toString('hex') };
}

test('a vault has no authority until the first roster, and keeps it then', async () => {
  expect(await vault.trust()).toEqual({ authorityKey: null, roster: null });
  const roster = sampleRoster(authority, vault.tenantId, [device]);
  await vault.putTrust(authorityKey, roster);
  await vault.putTrust(authorityKey, roster);
  expect(await vault.trust()).toEqual({ authorityKey, roster: roster.toString('base64') });
  const other = sampleRoster(rival, vault.tenantId, [device]);
  await expect(vault.putTrust(rival.publicKey.toString('hex'), other)).rejects.toEqual(refused('untrusted'));
  expect((await vault.trust()).authorityKey).toBe(authorityKey);
  expect(await verifyAll(vault)).toEqual([]);
});

test('a roster is taken only as the next one, and of two at once only one', async () => {
  const first = sampleRoster(authority, vault.tenantId, [device]);
  await vault.putTrust(authorityKey, first);
  const second = sampleRoster(authority, vault.tenantId, [], after(first, 1));
  const skipped = sampleRoster(authority, vault.tenantId, [], after(first, 2));
  const forked = sampleRoster(authority, vault.tenantId, [], { version: 1, previous: 'ab'.repeat(32) });
  for (const wrong of [skipped, forked]) {
    await expect(vault.putTrust(authorityKey, wrong)).rejects.toEqual(refused('roster_moved'));
  }
  const rivalling = sampleRoster(authority, vault.tenantId, [device], after(first, 1));
  const results = await Promise.allSettled(
    [second, rivalling].map((roster) => vault.putTrust(authorityKey, roster)),
  );
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await expect(vault.putTrust(authorityKey, first)).rejects.toEqual(refused('roster_moved'));
});

test('a roster that somebody else signed, is of another tenant, or names a device twice is refused', async () => {
  const forged = sampleRoster(rival, vault.tenantId, [device]);
  await expect(vault.putTrust(authorityKey, forged)).rejects.toEqual(refused('untrusted'));
  const foreign = sampleRoster(authority, newRandomId<TenantId>(), [device]);
  await expect(vault.putTrust(authorityKey, foreign)).rejects.toEqual(refused('untrusted'));
  const doubled = sampleRoster(authority, vault.tenantId, [device, device]);
  await expect(vault.putTrust(authorityKey, doubled)).rejects.toEqual(refused('damaged'));
});

test('a read grant counts for its device, by its authority, until it ends', async () => {
  const nowMs = opened.vaults.serviceTimeMs();
  const grantFor = (key = authority, change: { deviceId?: never; expiresMs?: number } = {}) => {
    const expiresNs = BigInt(change.expiresMs ?? nowMs + 60_000) * 1_000_000n;
    const grant = { tenantId: vault.tenantId, deviceId: device.deviceId, expiresNs, ...change };
    return encodeSignedObject('readGrant', encodeReadGrant(grant), key);
  };
  await expect(vault.checkReadGrant(device.caller, grantFor())).rejects.toEqual(refused('forbidden'));
  await vault.putTrust(authorityKey, sampleRoster(authority, vault.tenantId, [device]));
  const { expiresMs } = await vault.checkReadGrant(device.caller, grantFor());
  expect(expiresMs).toBe(nowMs + 60_000);
  const endless = await vault.checkReadGrant(device.caller, grantFor(authority, { expiresMs: nowMs * 2 }));
  expect(endless.expiresMs).toBeLessThanOrEqual(opened.vaults.serviceTimeMs() + LIMITS.readGrantLifetimeMs);
  const over = grantFor(authority, { expiresMs: nowMs - 1 });
  const stranger = await addSampleDevice(vault);
  await expect(vault.checkReadGrant(device.caller, over)).rejects.toEqual(refused('forbidden'));
  await expect(vault.checkReadGrant(stranger.caller, grantFor())).rejects.toEqual(refused('forbidden'));
  await expect(vault.checkReadGrant(device.caller, grantFor(rival))).rejects.toEqual(refused('untrusted'));
});

test('key objects are kept once, read by their device, and by others with a grant only', async () => {
  const object = sampleKeyringObject(device, newRandomId());
  const stored = await vault.storeObject(device.caller, 'keyring', object);
  expect(await vault.storeObject(device.caller, 'keyring', object)).toEqual(stored);
  const own = await vault.readObject(device.caller, 'keyring', device.keyPeriodId);
  expect(Buffer.from(own.object, 'base64').includes(Buffer.from(device.keyPeriodId, 'hex'))).toBe(true);
  const stranger = await addSampleDevice(vault);
  const reading = vault.readObject(stranger.caller, 'keyring', device.keyPeriodId);
  await expect(reading).rejects.toEqual(refused('not_found'));
  const granted = { ...stranger.caller, readsTenant: true };
  expect(await vault.readObject(granted, 'keyring', device.keyPeriodId)).toEqual(own);
});

test('key objects of another device, signer or a second content are refused', async () => {
  const stranger = await addSampleDevice(vault);
  const theirs = sampleKeyringObject(stranger, newRandomId());
  await expect(vault.storeObject(device.caller, 'keyring', theirs)).rejects.toEqual(refused('untrusted'));
  const posing = sampleKeyringObject({ ...stranger, key: device.key }, newRandomId());
  await expect(vault.storeObject(device.caller, 'keyring', posing)).rejects.toEqual(refused('forbidden'));
  const second = sampleDomainObject(device);
  await expect(vault.storeObject(device.caller, 'domain', second)).rejects.toEqual(refused('already_exists'));
  const asKeyring = vault.storeObject(device.caller, 'keyring', sampleDomainObject(device));
  await expect(asKeyring).rejects.toEqual(refused('damaged'));
});
