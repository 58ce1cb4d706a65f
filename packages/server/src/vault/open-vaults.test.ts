import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newRandomId, type TenantId } from '@cofre/shared/ids';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  addSampleTenant,
  openSampleVaults,
  SampleRun,
  verifyAll,
  type OpenedVaults,
} from '../../../../test/builders/sample-vault.ts';
import { tamperIndex } from '../../../../test/builders/tamper-index.ts';
import { sampleBlob } from '../../../../test/builders/vault-samples.ts';
import { decodeTenantDescription } from './objects/tenant-description.ts';
import { openVaults } from './open-vaults.ts';

let opened: OpenedVaults;

beforeEach(async () => {
  opened = await openSampleVaults();
});

afterEach(async () => {
  await opened.remove();
});

const refused = (code: string) => expect.objectContaining({ code });

test('a vault that was not made is not there, whatever its id looks like', async () => {
  for (const id of [newRandomId(), '../../etc', '', 'A'.repeat(32)]) {
    await expect(opened.vaults.open(id as TenantId)).rejects.toEqual(refused('not_found'));
  }
});

test('making a vault again changes nothing', async () => {
  const { vault, device } = await addSampleTenant(opened);
  await (await SampleRun.open(vault, device)).backUp([sampleBlob(device)]);
  const before = await vault.statistics();
  await opened.vaults.create(vault.tenantId, 'Another name');
  expect(await vault.statistics()).toEqual(before);
});

test('name and quota of a tenant stand in the store, the newest counting', async () => {
  const { vault } = await addSampleTenant(opened, 1000);
  await opened.vaults.setQuota(vault.tenantId, 2000);
  await opened.vaults.setQuota(vault.tenantId, 2000);
  const folder = join(opened.storeFolder, vault.tenantId, 'objects');
  const descriptions = readdirSync(folder).filter((name) => name.endsWith('.description'));
  const newest = descriptions.sort((a, b) => parseInt(b) - parseInt(a))[0] as string;
  expect(descriptions).toHaveLength(3);
  expect(decodeTenantDescription(readFileSync(join(folder, newest)))).toMatchObject({
    tenantId: vault.tenantId,
    name: 'A tenant',
    quotaBytes: 2000,
  });
});

test('everything is there after closing and opening again', async () => {
  const { vault, device } = await addSampleTenant(opened);
  const { snapshot } = await (await SampleRun.open(vault, device)).backUp([sampleBlob(device)]);
  opened = await opened.reopen();
  const again = await opened.vaults.open(vault.tenantId);
  expect(await verifyAll(again)).toEqual([]);
  const session = await again.openSession(device.caller, {
    operationId: newRandomId(),
    domainId: device.domainId,
    setId: device.setId,
  });
  expect(session.head?.snapshotId).toBe(snapshot.snapshotId);
});

test('calls after closing are refused, and running ones are finished', async () => {
  const { vault, device } = await addSampleTenant(opened);
  const run = await SampleRun.open(vault, device);
  const sending = run.send([sampleBlob(device, { sealedLength: 2_000_000 })]);
  const closing = opened.vaults.close();
  expect(await sending).toMatchObject({ packNumber: 1 });
  await closing;
  await expect(vault.statistics()).rejects.toEqual(refused('unavailable'));
  await expect(opened.vaults.open(vault.tenantId)).rejects.toEqual(refused('unavailable'));
});

test('a second process on the same store or data is refused and told who has it', async () => {
  const script = `
    import { openVaults } from ${JSON.stringify(join(import.meta.dirname, 'open-vaults.ts'))};
    const [dataFolder, storeFolder] = process.argv.slice(1);
    await openVaults({ dataFolder, storeFolder, onFatal: () => undefined }).then(
      () => console.log('opened'),
      (error) => console.log(error.code, error.message),
    );
    process.exit(0);`;
  const open = (dataFolder: string, storeFolder: string): string => {
    const flags = ['--input-type=module-typescript', '--eval', script, dataFolder, storeFolder];
    return spawnSync(process.execPath, flags, { encoding: 'utf8', cwd: import.meta.dirname }).stdout;
  };
  const { dataFolder, storeFolder, folder } = opened;
  expect(open(dataFolder, join(folder, 'store2'))).toMatch(new RegExp(`^busy .*process ${process.pid} on `));
  expect(open(join(folder, 'data2'), storeFolder)).toMatch(new RegExp(`^busy .*process ${process.pid} on `));
  const options = { dataFolder, storeFolder, onFatal: () => undefined };
  await expect(openVaults(options)).rejects.toEqual(refused('busy'));
  await opened.vaults.close();
  expect(open(dataFolder, storeFolder)).toBe('opened\n');
});

test('databases beside another store, or an empty folder where it should be, are refused', async () => {
  const { vault } = await addSampleTenant(opened);
  const { dataFolder, storeFolder, folder } = opened;
  const other = await openSampleVaults();
  await opened.vaults.close();
  await other.vaults.close();
  const open = (data: string, store: string) =>
    openVaults({ dataFolder: data, storeFolder: store, onFatal: () => undefined });
  const pairs = [
    [dataFolder, other.storeFolder],
    [dataFolder, join(folder, 'not mounted')],
    [join(folder, 'new'), storeFolder],
  ] as const;
  for (const [data, store] of pairs)
    await expect(open(data, store)).rejects.toEqual(refused('settings_invalid'));
  rmSync(join(storeFolder, vault.tenantId), { recursive: true });
  const vaults = await open(dataFolder, storeFolder);
  await expect(vaults.open(vault.tenantId)).rejects.toEqual(refused('unavailable'));
  await vaults.close();
  await other.remove();
});

test('what an ended process left half done is swept, and nothing else', async () => {
  const { vault, device } = await addSampleTenant(opened);
  await (await SampleRun.open(vault, device)).backUp([sampleBlob(device)]);
  const inStore = (path: string): string => join(opened.storeFolder, vault.tenantId, path);
  writeFileSync(inStore('incoming/9.pack'), 'half');
  writeFileSync(inStore('packs/01/9.pack'), 'unknown, and left alone');
  opened = await opened.reopen();
  const again = await opened.vaults.open(vault.tenantId);
  expect(readdirSync(inStore('incoming'))).toEqual([]);
  expect((await verifyAll(again)).map(({ code }) => code)).toEqual(['file_without_row']);
});

test('an index that names files which are none of a vault is not believed: nothing is unlinked', async () => {
  const { vault, device } = await addSampleTenant(opened);
  const { snapshot } = await (await SampleRun.open(vault, device)).backUp([sampleBlob(device)]);
  const sql = `INSERT INTO doomed (path) VALUES ('../../data/store.id'), ('packs/02/1.pack')`;
  opened = await tamperIndex(opened, vault.tenantId, sql);
  const again = await opened.vaults.open(vault.tenantId);
  expect(existsSync(join(opened.dataFolder, 'store.id'))).toBe(true);
  const query = { after: 0, limit: 10, setId: undefined, deviceId: undefined };
  const { items } = await again.listSnapshots(device.caller, query);
  expect(items.map(({ snapshotId }) => snapshotId)).toEqual([snapshot.snapshotId]);
  const run = await SampleRun.open(again, device);
  await expect(run.send([sampleBlob(device)])).rejects.toMatchObject({ code: 'index_unusable' });
});
