import { LIMITS } from '@cofre/shared/limits';
import { newRandomId, type DomainId, type KeyPeriodId, type SessionId } from '@cofre/shared/ids';
import { signingKeyFromSeed } from '@cofre/shared/signature';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  addSampleDevice,
  addSampleTenant,
  openSampleVaults,
  readBlobs,
  SampleRun,
  type OpenedVaults,
} from '../../../../test/builders/sample-vault.ts';
import {
  sampleBlob,
  sampleKeyringObject,
  sampleRoster,
  sampleSnapshot,
  type SampleDevice,
} from '../../../../test/builders/vault-samples.ts';
import { SESSIONS_OPEN_MAX } from './index/sessions.store.ts';
import type { Vault } from './vault.ts';

const LEASE_HOURS = LIMITS.sessionLeaseMs / 3_600_000;

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

test('the same operation opens the same session', async () => {
  const request = { operationId: newRandomId(), domainId: device.domainId, setId: device.setId };
  const first = await vault.openSession(device.caller, request);
  const again = await vault.openSession(device.caller, request);
  expect(again.sessionId).toBe(first.sessionId);
  const other = await vault.openSession(device.caller, { ...request, operationId: newRandomId() });
  expect(other.sessionId).not.toBe(first.sessionId);
  expect(first.head).toBeNull();
});

test('a session tells the head that it holds, and how much the domain has', async () => {
  const run = await SampleRun.open(vault, device);
  const { snapshot } = await run.backUp([sampleBlob(device)]);
  const request = { operationId: newRandomId(), domainId: device.domainId, setId: device.setId };
  const session = await vault.openSession(device.caller, request);
  expect(session.head).toEqual({
    snapshotId: snapshot.snapshotId,
    sequence: 1,
    refsetCount: snapshot.manifest.refset.count,
    refsetDigest: snapshot.manifest.refset.digest,
    damaged: '',
  });
  expect(session.domainChunkCount).toBe(2);
});

test('a lease ends when nothing is heard, and not while something is', async () => {
  const run = await SampleRun.open(vault, device);
  for (let count = 0; count < 4; count++) {
    opened.passHours(LEASE_HOURS * 0.7);
    await run.have([sampleBlob(device).chunkId]);
  }
  opened.passHours(LEASE_HOURS * 1.1);
  await expect(run.have([])).rejects.toEqual(refused('session_expired'));
  await expect(run.send([sampleBlob(device)])).rejects.toEqual(refused('session_expired'));
  await expect(vault.renewSession(device.caller, run.sessionId)).rejects.toEqual(refused('session_expired'));
  const again = await SampleRun.open(vault, device);
  expect(await again.backUp([sampleBlob(device)])).toMatchObject({ result: { status: 'committed' } });
});

test('a session that is kept alive ends at its maximum age', async () => {
  const run = await SampleRun.open(vault, device);
  const steps = Math.ceil(LIMITS.sessionAgeMaxMs / (LIMITS.sessionLeaseMs * 0.9)) + 1;
  const keepAlive = async (): Promise<void> => {
    for (let count = 0; count < steps; count++) {
      opened.passHours(LEASE_HOURS * 0.9);
      await vault.renewSession(device.caller, run.sessionId);
    }
  };
  await expect(keepAlive()).rejects.toEqual(refused('session_expired'));
});

test('a session that was closed is over, and closing it again is fine', async () => {
  const run = await SampleRun.open(vault, device);
  await vault.closeSession(device.caller, run.sessionId);
  await vault.closeSession(device.caller, run.sessionId);
  await expect(run.have([])).rejects.toEqual(refused('session_expired'));
});

test('sessions and domains of others are not there', async () => {
  const stranger = await addSampleDevice(vault);
  const run = await SampleRun.open(vault, device);
  await expect(vault.have(stranger.caller, run.sessionId, Buffer.alloc(0))).rejects.toEqual(
    refused('not_found'),
  );
  const unknown = newRandomId<SessionId>();
  await expect(vault.have(device.caller, unknown, Buffer.alloc(0))).rejects.toEqual(refused('not_found'));
  for (const domainId of [stranger.domainId, newRandomId<DomainId>()]) {
    const opening = vault.openSession(device.caller, {
      operationId: newRandomId(),
      domainId,
      setId: device.setId,
    });
    await expect(opening).rejects.toEqual(refused('not_found'));
  }
});

test('a roster hands a domain to a new device, and a revoked device opens no session', async () => {
  const authority = signingKeyFromSeed(Buffer.alloc(32, 1));
  const heir = { ...(await addSampleDevice(vault)), domainId: device.domainId };
  await vault.putTrust(
    authority.publicKey.toString('hex'),
    sampleRoster(authority, vault.tenantId, [{ ...device, isRevoked: true }, heir]),
  );
  await SampleRun.open(vault, heir);
  await expect(SampleRun.open(vault, device)).rejects.toEqual(refused('device_revoked'));
});

test('a device that a roster revokes does nothing more, neither in an open session nor with a grant', async () => {
  const authority = signingKeyFromSeed(Buffer.alloc(32, 1));
  const run = await SampleRun.open(vault, device);
  const blob = sampleBlob(device);
  const { root, snapshot } = await run.backUp([blob]);
  await vault.putTrust(
    authority.publicKey.toString('hex'),
    sampleRoster(authority, vault.tenantId, [{ ...device, isRevoked: true }]),
  );
  const granted = { ...device.caller, readsTenant: true };
  const query = { after: 0, limit: 10, setId: undefined, deviceId: undefined };
  const calls = [
    () => run.have([blob.chunkId]),
    () => run.send([sampleBlob(device)]),
    () => run.stage('add', [root.chunkId]),
    () => run.commit(sampleSnapshot(device, [root.chunkId], root.chunkId, snapshot)),
    () => vault.renewSession(device.caller, run.sessionId),
    () => readBlobs(vault, device, [blob.chunkId]),
    () => readBlobs(vault, { ...device, caller: granted }, [blob.chunkId]),
    () => vault.listSnapshots(granted, query),
    () => vault.readObject(granted, 'keyring', device.keyPeriodId),
    () => vault.checkReadGrant(device.caller, Buffer.alloc(0)),
    () =>
      vault.storeObject(device.caller, 'keyring', sampleKeyringObject(device, newRandomId<KeyPeriodId>())),
  ];
  for (const call of calls) await expect(call()).rejects.toEqual(refused('device_revoked'));
});

test('a device has so many sessions open at once and no more, and gets room when their leases end', async () => {
  for (let count = 0; count < SESSIONS_OPEN_MAX; count++) await SampleRun.open(vault, device);
  await expect(SampleRun.open(vault, device)).rejects.toEqual(refused('unavailable'));
  await SampleRun.open(vault, await addSampleDevice(vault));
  opened.passHours(LEASE_HOURS * 1.1);
  await SampleRun.open(vault, device);
});
