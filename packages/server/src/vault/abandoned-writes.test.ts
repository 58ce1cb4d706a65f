import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  addSampleTenant,
  openSampleVaults,
  readBlobs,
  SampleRun,
  verifyAll,
  type OpenedVaults,
} from '../../../../test/builders/sample-vault.ts';
import { sampleBlob, samplePack } from '../../../../test/builders/vault-samples.ts';

let opened: OpenedVaults;

afterEach(async () => {
  await opened.remove();
});

const refused = (code: string) => expect.objectContaining({ code });

/** Vaults in which the step of this name fails as long as `isFailing`. */
async function openFailingAt(step: string) {
  const failing = { isFailing: false };
  opened = await openSampleVaults({
    crashPoint: (name) => {
      if (failing.isFailing && name === step) throw new Error('EIO, or whatever else');
    },
  });
  return failing;
}

test('a pack that has its rows stays, whatever fails after them', async () => {
  const failing = await openFailingAt('pack-recorded');
  const { vault, device } = await addSampleTenant(opened);
  const run = await SampleRun.open(vault, device);
  const blob = sampleBlob(device);
  const operationId = '1'.repeat(32);
  failing.isFailing = true;
  await expect(run.sendBytes(samplePack([blob]), operationId)).rejects.toThrow('EIO');
  failing.isFailing = false;
  // The answer that was lost, and another upload, which clears away what was given up.
  expect(await run.sendBytes(samplePack([blob]), operationId)).toMatchObject({ blobs: 1 });
  await run.send([sampleBlob(device)]);
  expect((await readBlobs(vault, device, [blob.chunkId]))[0]?.status).toBe('found');
  expect(await verifyAll(vault)).toEqual([]);
  opened = await opened.reopen();
  expect(await verifyAll(await opened.vaults.open(vault.tenantId))).toEqual([]);
});

test('a snapshot that has its rows stays, whatever fails after them', async () => {
  const failing = await openFailingAt('object-recorded');
  const { vault, device } = await addSampleTenant(opened);
  const run = await SampleRun.open(vault, device);
  failing.isFailing = true;
  await expect(run.backUp([sampleBlob(device)])).rejects.toThrow('EIO');
  failing.isFailing = false;
  opened = await opened.reopen();
  const again = await opened.vaults.open(vault.tenantId);
  expect(await again.statistics()).toMatchObject({ snapshots: 1 });
  expect(await verifyAll(again)).toEqual([]);
});

test('databases that are older than the store take nothing from it, and bring nothing until they are mended', async () => {
  opened = await openSampleVaults();
  const { vault, device } = await addSampleTenant(opened);
  const first = await (await SampleRun.open(vault, device)).backUp([sampleBlob(device)]);
  await opened.vaults.close();
  const copy = join(opened.folder, 'copy');
  cpSync(join(opened.dataFolder, 'vaults'), copy, { recursive: true });
  opened = await opened.reopen();
  const later = await opened.vaults.open(vault.tenantId);
  await (await SampleRun.open(later, device)).backUp([sampleBlob(device)], first.snapshot);
  await opened.vaults.close();
  rmSync(join(opened.dataFolder, 'vaults'), { recursive: true });
  cpSync(copy, join(opened.dataFolder, 'vaults'), { recursive: true });
  const files = () =>
    readdirSync(join(opened.storeFolder, vault.tenantId), { recursive: true })
      .map(String)
      .toSorted((a, b) => a.localeCompare(b));
  const before = files();

  opened = await opened.reopen();
  const old = await opened.vaults.open(vault.tenantId);
  const run = await SampleRun.open(old, device);
  await expect(run.send([sampleBlob(device)])).rejects.toEqual(refused('index_unusable'));
  await expect(run.backUp([], first.snapshot)).rejects.toEqual(refused('index_unusable'));
  await expect(opened.vaults.setQuota(vault.tenantId, 1)).rejects.toEqual(refused('index_unusable'));
  expect(files()).toEqual(before);
  const read = await readBlobs(old, device, first.refs);
  expect(read.map(({ status }) => status)).toEqual(['found', 'found']);
});

test('a file that nothing announced is never replaced and never removed by the write that meets it', async () => {
  opened = await openSampleVaults();
  const { vault, device } = await addSampleTenant(opened);
  const run = await SampleRun.open(vault, device);
  await run.send([sampleBlob(device)]);
  const folder = join(opened.storeFolder, vault.tenantId, 'packs');
  cpSync(join(folder, '01/1.pack'), join(folder, '02/2.pack'), { recursive: true });
  await expect(run.send([sampleBlob(device)])).rejects.toEqual(refused('unavailable'));
  await expect(run.send([sampleBlob(device)])).rejects.toEqual(refused('index_unusable'));
  opened = await opened.reopen();
  await opened.vaults.open(vault.tenantId);
  expect(existsSync(join(folder, '02/2.pack'))).toBe(true);
});
