import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { newRandomId, type KeyPeriodId } from '@cofre/shared/ids';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  addSampleTenant,
  openSampleVaults,
  readBlobs,
  SampleRun,
  verifyAll,
  type OpenedVaults,
} from '../../../../../test/builders/sample-vault.ts';
import {
  sampleBlob,
  sampleKeyringObject,
  samplePack,
  sampleSnapshot,
  type SampleDevice,
} from '../../../../../test/builders/vault-samples.ts';
import { catalogHeadroomBytes } from '../quota.ts';
import type { Vault } from '../vault.ts';

const MIB = 1024 * 1024;

let opened: OpenedVaults;
let vault: Vault;
let device: SampleDevice;
let run: SampleRun;

beforeAll(async () => {
  opened = await openSampleVaults();
});

afterAll(async () => {
  await opened.remove();
});

beforeEach(async () => {
  ({ vault, device } = await addSampleTenant(opened));
  run = await SampleRun.open(vault, device);
});

const refused = (code: string) => expect.objectContaining({ code });

function filesIn(folder: 'packs' | 'incoming'): string[] {
  const root = join(opened.storeFolder, vault.tenantId, folder);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

/** What a refused pack leaves behind: nothing. */
async function expectNothingLeft(): Promise<void> {
  expect(filesIn('packs')).toEqual([]);
  expect(filesIn('incoming')).toEqual([]);
  expect(await vault.statistics()).toMatchObject({ packs: 0, chunkBytes: 0, chunks: 0 });
  expect(await verifyAll(vault)).toEqual([]);
}

test('a pack is kept as it came, and its blobs are live', async () => {
  const blobs = [sampleBlob(device), sampleBlob(device)];
  const pack = samplePack(blobs);
  const stored = await run.sendBytes(pack);
  expect(stored).toEqual({ packNumber: 1, blobs: 2, duplicates: 0, healed: 0 });
  expect(readFileSync(join(opened.storeFolder, vault.tenantId, 'packs/01/1.pack')).equals(pack)).toBe(true);
  expect(filesIn('incoming')).toEqual([]);
  expect(await run.have([...blobs.map(({ chunkId }) => chunkId), sampleBlob(device).chunkId])).toEqual([
    1, 1, 0,
  ]);
  const chunkBytes = blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(await vault.statistics()).toMatchObject({ chunkBytes, packs: 1, packBytes: pack.length, chunks: 2 });
});

test('pieces are given back when they are written, and not looked at after', async () => {
  const table = Array.from({ length: 500 }, () => sampleBlob(device).chunkId);
  const blobs = [1, 2, 3].map(() => sampleBlob(device, { type: 'catalog', table, sealedLength: 400_000 }));
  const pack = samplePack(blobs, 'catalog');
  let givenBytes = 0;
  const incoming = {
    operationId: newRandomId(),
    lengthBytes: pack.length,
    // Copies, so that they may be spoilt; small, so that headers and tables lie across them.
    body: Readable.from(
      Array.from({ length: Math.ceil(pack.length / 1000) }, (_, place) =>
        Buffer.from(pack.subarray(place * 1000, (place + 1) * 1000)),
      ),
    ),
    giveBack: (pieces: readonly Buffer[]) => {
      for (const piece of pieces) givenBytes += piece.fill(0).length;
    },
  };
  await vault.receivePack(device.caller, run.sessionId, incoming);
  expect(givenBytes).toBe(pack.length);
  expect(readFileSync(join(opened.storeFolder, vault.tenantId, 'packs/01/1.pack')).equals(pack)).toBe(true);
  expect(await verifyAll(vault)).toEqual([]);
});

test('the same operation again gets the same answer and stores nothing', async () => {
  const pack = samplePack([sampleBlob(device)]);
  const operationId = newRandomId();
  const stored = await run.sendBytes(pack, operationId);
  expect(await run.sendBytes(pack, operationId)).toEqual(stored);
  expect(filesIn('packs')).toHaveLength(1);
});

test('the same operation twice at once makes one pack', async () => {
  const pack = samplePack([sampleBlob(device, { sealedLength: 100_000 })]);
  const operationId = newRandomId();
  const answers = await Promise.all(Array.from({ length: 4 }, () => run.sendBytes(pack, operationId)));
  expect(new Set(answers.map(({ packNumber }) => packNumber)).size).toBe(1);
  expect(filesIn('packs')).toHaveLength(1);
  expect(filesIn('incoming')).toEqual([]);
  expect(await verifyAll(vault)).toEqual([]);
});

test('what is there already is counted as dead, once for the tenant', async () => {
  const blob = sampleBlob(device);
  await run.send([blob]);
  const other = sampleBlob(device);
  expect(await run.send([blob, other, other])).toMatchObject({ blobs: 3, duplicates: 2 });
  expect(await vault.statistics()).toMatchObject({
    chunkBytes: blob.bytes.length + other.bytes.length,
    chunks: 2,
  });
  expect(await verifyAll(vault)).toEqual([]);
});

test('two runs that bring the same chunk at once share it', async () => {
  const rival = await SampleRun.open(vault, device);
  const blob = sampleBlob(device);
  await Promise.all([run.send([blob]), rival.send([blob])]);
  expect(await vault.statistics()).toMatchObject({ packs: 2, chunks: 1, chunkBytes: blob.bytes.length });
  const [read] = await readBlobs(vault, device, [blob.chunkId]);
  expect(read?.bytes.equals(blob.bytes)).toBe(true);
  expect(await verifyAll(vault)).toEqual([]);
});

test('many packs at once all arrive, each under its own number', async () => {
  const blobs = Array.from({ length: 60 }, () => sampleBlob(device));
  const stored = await Promise.all(blobs.map((blob) => run.send([blob])));
  expect(new Set(stored.map(({ packNumber }) => packNumber)).size).toBe(60);
  expect(await run.have(blobs.map(({ chunkId }) => chunkId))).not.toContain(0);
  expect(await verifyAll(vault)).toEqual([]);
});

test('an altered, cut or foreign pack is refused and leaves nothing', async () => {
  const pack = samplePack([sampleBlob(device, { sealedLength: 2 * MIB })]);
  const altered = Buffer.from(pack);
  altered[MIB] = (altered[MIB] as number) ^ 1;
  await expect(run.sendBytes(altered)).rejects.toEqual(refused('pack_invalid'));
  const { tenant, stranger } = await addSampleTenant(opened).then((made) => ({
    tenant: made.vault,
    stranger: made.device,
  }));
  await expect(run.send([sampleBlob(stranger)])).rejects.toEqual(refused('pack_invalid'));
  const sending = tenant.receivePack(device.caller, run.sessionId, {
    operationId: newRandomId(),
    lengthBytes: pack.length,
    body: Readable.from([pack]),
  });
  await expect(sending).rejects.toEqual(refused('not_found'));
  await expectNothingLeft();
});

test('a body that breaks off, ends early or goes on too long is refused and leaves nothing', async () => {
  const pack = samplePack([sampleBlob(device, { sealedLength: 3 * MIB })]);
  const bodies = {
    breaking: Readable.from(
      (function* () {
        yield pack.subarray(0, 2 * MIB);
        throw new Error('socket hang up');
      })(),
    ),
    short: Readable.from([pack.subarray(0, 2 * MIB)]),
    long: Readable.from([pack, pack]),
  };
  for (const body of Object.values(bodies)) {
    const incoming = { operationId: newRandomId(), lengthBytes: pack.length, body };
    const receiving = vault.receivePack(device.caller, run.sessionId, incoming);
    await expect(receiving).rejects.toEqual(refused('pack_invalid'));
  }
  await expectNothingLeft();
});

test('a refused body flows away, so that the answer can reach the client', async () => {
  const body = Readable.from([Buffer.alloc(1000), Buffer.alloc(1000), Buffer.alloc(1000)]);
  const receiving = vault.receivePack(device.caller, run.sessionId, {
    operationId: newRandomId(),
    lengthBytes: 3000,
    body,
  });
  await expect(receiving).rejects.toEqual(refused('pack_invalid'));
  await new Promise((resolve) => body.once('end', resolve));
  expect(body.errored).toBeNull();
});

test('a pack whose keys nobody could ever open again is refused', async () => {
  const orphan = { ...device, keyPeriodId: newRandomId<KeyPeriodId>() };
  await expect(run.send([sampleBlob(orphan)])).rejects.toEqual(refused('pack_invalid'));
  await expectNothingLeft();
});

test('a hundred uploads at the limit do not pass it by a byte', async () => {
  const blobBytes = sampleBlob(device, { sealedLength: 50_000 }).bytes.length;
  const quotaBytes = 10 * samplePack([sampleBlob(device, { sealedLength: 50_000 })]).length + 1000;
  const content = quotaBytes - catalogHeadroomBytes(quotaBytes);
  await opened.vaults.setQuota(vault.tenantId, quotaBytes);
  const results = await Promise.allSettled(
    Array.from({ length: 100 }, () => run.send([sampleBlob(device, { sealedLength: 50_000 })])),
  );
  const failed = results.filter((result) => result.status === 'rejected');
  expect(failed.every(({ reason }) => (reason as { code: string }).code === 'over_quota')).toBe(true);
  const { usedBytes, chunkBytes } = await vault.statistics();
  expect(usedBytes).toBeLessThanOrEqual(content);
  expect(chunkBytes).toBe((100 - failed.length) * blobBytes);
  expect(failed.length).toBeGreaterThanOrEqual(90);
  // What was only reserved is free again: as much as fits can still be sent.
  const keyBytes = usedBytes - chunkBytes;
  const fits = Math.floor(
    (content - keyBytes) / samplePack([sampleBlob(device, { sealedLength: 50_000 })]).length,
  );
  for (let count = 100 - failed.length; count < fits; count++) {
    await run.send([sampleBlob(device, { sealedLength: 50_000 })]);
  }
  await expect(run.send([sampleBlob(device, { sealedLength: 50_000 })])).rejects.toEqual(
    refused('over_quota'),
  );
  expect(await verifyAll(vault)).toEqual([]);
});

test('when content has used up its part of the quota a catalog still fits, and no more than the quota', async () => {
  const quotaBytes = MIB;
  await opened.vaults.setQuota(vault.tenantId, quotaBytes);
  const sealedLength = quotaBytes - catalogHeadroomBytes(quotaBytes) - 1000;
  const blob = sampleBlob(device, { sealedLength });
  await run.send([blob]);
  await expect(run.send([sampleBlob(device)])).rejects.toMatchObject({
    code: 'over_quota',
    parameters: { quotaBytes: quotaBytes - catalogHeadroomBytes(quotaBytes) },
  });
  await run.send([sampleBlob(device, { type: 'catalog', table: [blob.chunkId] })], 'catalog');
  const tooMuch = sampleBlob(device, { type: 'catalog', sealedLength: catalogHeadroomBytes(quotaBytes) });
  await expect(run.send([tooMuch], 'catalog')).rejects.toEqual(refused('over_quota'));
  expect((await vault.statistics()).usedBytes).toBeLessThanOrEqual(quotaBytes);
});

test('a store that is nearly full refuses packs, while commits and reads go on', async () => {
  const first = await run.backUp([sampleBlob(device)]);
  const root = sampleBlob(device, { type: 'catalog' });
  await run.send([root], 'catalog');
  opened = await opened.reopen({ storeHeadroomBytes: 2 ** 60 });
  vault = await opened.vaults.open(vault.tenantId);
  const again = await SampleRun.open(vault, device);
  await expect(again.send([sampleBlob(device)])).rejects.toEqual(refused('storage_full'));
  await again.stage('add', [root.chunkId]);
  const snapshot = sampleSnapshot(device, [root.chunkId], root.chunkId, first.snapshot);
  expect(await again.commit(snapshot)).toMatchObject({ status: 'committed' });
  const read = await readBlobs(vault, device, first.refs);
  expect(read.map(({ status }) => status)).toEqual(['found', 'found']);
  opened = await opened.reopen({ storeHeadroomBytes: 0 });
});

test('what a device brings as objects counts too, and is refused where it would pass the quota', async () => {
  const { usedBytes } = await vault.statistics();
  await opened.vaults.setQuota(vault.tenantId, usedBytes + 500);
  const store = () =>
    vault.storeObject(device.caller, 'keyring', sampleKeyringObject(device, newRandomId<KeyPeriodId>()));
  const results = [];
  for (let count = 0; count < 5; count++) results.push(await Promise.allSettled([store()]));
  expect(results.flat().map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'rejected',
    'rejected',
    'rejected',
  ]);
  expect((await vault.statistics()).usedBytes).toBeLessThanOrEqual(usedBytes + 500);
  expect(await verifyAll(vault)).toEqual([]);
});
