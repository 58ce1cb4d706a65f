import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newRandomId, type ChunkId, type TenantId } from '@cofre/shared/ids';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  ascendingIds,
  incomingPack,
  sampleBlob,
  sampleDevice,
  sampleDomainObject,
  sampleKeyringObject,
  samplePack,
  sampleSnapshot,
  type SampleDevice,
} from '../../../../test/builders/vault-samples.ts';
import { openVaults } from './open-vaults.ts';
import type { Vault, Vaults } from './vault.ts';

let folder: string;
let vaults: Vaults;
let vault: Vault;
let device: SampleDevice;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-vaults-'));
  vaults = await openVaults({
    dataFolder: join(folder, 'data'),
    storeFolder: join(folder, 'store'),
    storeHeadroomBytes: 0,
    onFatal: (error) => {
      throw error;
    },
  });
  const tenantId = newRandomId<TenantId>();
  await vaults.create(tenantId, 'Tenant');
  await vaults.setQuota(tenantId, 1024 * 1024 * 1024);
  vault = await vaults.open(tenantId);
  device = sampleDevice(tenantId);
  await vault.storeObject(device.caller, 'domain', sampleDomainObject(device));
  await vault.storeObject(device.caller, 'keyring', sampleKeyringObject(device, device.keyPeriodId));
});

afterEach(async () => {
  await vaults.close();
  rmSync(folder, { recursive: true });
});

async function openSession() {
  const { domainId, setId } = device;
  return vault.openSession(device.caller, { operationId: newRandomId(), domainId, setId });
}

async function readAll(ids: ChunkId[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of vault.readChunks(device.caller, device.domainId, ids)) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('what was received and committed is listed and comes back byte for byte', async () => {
  const session = await openSession();
  const blobs = [sampleBlob(device), sampleBlob(device, { sealedLength: 200_000 })];
  const ids = blobs.map(({ chunkId }) => chunkId);
  const node = sampleBlob(device, { type: 'catalog', table: ids });
  const haveBefore = await vault.have(device.caller, session.sessionId as never, ascendingIds(ids));
  expect([...haveBefore]).toEqual([0, 0]);
  await vault.receivePack(device.caller, session.sessionId as never, incomingPack(samplePack(blobs)));
  await vault.receivePack(
    device.caller,
    session.sessionId as never,
    incomingPack(samplePack([node], 'catalog')),
  );
  const have = await vault.have(device.caller, session.sessionId as never, ascendingIds(ids));
  expect([...have]).toEqual([1, 1]);
  const all = [...ids, node.chunkId];
  await vault.stageRefs(device.caller, session.sessionId as never, {
    part: 0,
    mode: 'add',
    ids: ascendingIds(all),
  });
  const snapshot = sampleSnapshot(device, all, node.chunkId);
  const result = await vault.commit(device.caller, session.sessionId as never, snapshot.object, 'full');
  expect(result.status).toBe('committed');
  const page = await vault.listSnapshots(device.caller, {
    after: 0,
    limit: 10,
    setId: undefined,
    deviceId: undefined,
  });
  expect(page.items.map(({ snapshotId }) => snapshotId)).toEqual([snapshot.snapshotId]);
  const stream = await readAll(ids);
  expect(stream.includes((blobs[1] as { bytes: Buffer }).bytes)).toBe(true);
});
