import { cpSync, existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BLOB_HEADER_BYTES } from '@cofre/shared/format/envelope/blob';
import { PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import { newRandomId, type SetId } from '@cofre/shared/ids';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { flipBit } from '../../../../../test/builders/flip-bit.ts';
import { fillVault, GroupedSet } from '../../../../../test/builders/grouped-set.ts';
import { readIndexRows } from '../../../../../test/builders/index-rows.ts';
import {
  addSampleDevice,
  addSampleTenant,
  openSampleVaults,
  readBlobs,
  SampleRun,
  verifyAll,
  type OpenedVaults,
} from '../../../../../test/builders/sample-vault.ts';
import {
  sampleBlob,
  type SampleBlob,
  type SampleDevice,
} from '../../../../../test/builders/vault-samples.ts';
import { packPath } from '../layout.ts';
import type { Vault } from '../vault.ts';
import { acceptRebuilt, holdStoppedStore, rebuildVaults } from './rebuild-store.ts';
import type { RebuiltVault } from './vault-rebuilder.ts';

let opened: OpenedVaults;

beforeEach(async () => {
  opened = await openSampleVaults();
});

afterEach(async () => {
  await opened.remove();
});

const refused = (code: string) => expect.objectContaining({ code });

const databaseOf = ({ tenantId }: Vault): string => opened.databaseOf(tenantId);
const inStore = ({ tenantId }: Vault, path: string): string => opened.inStore(tenantId, path);

async function rebuild(vault: Vault, readsAll = false): Promise<RebuiltVault> {
  const store = await holdStoppedStore(opened.dataFolder, opened.storeFolder);
  try {
    const [rebuilt] = await rebuildVaults(store, {
      tenants: [vault.tenantId],
      readsAll,
      onBytes: () => undefined,
    });
    return rebuilt as RebuiltVault;
  } finally {
    store.release();
  }
}

async function listing(vault: Vault, device: SampleDevice) {
  const caller = { ...device.caller, readsTenant: true };
  return await vault.listSnapshots(caller, { after: 0, limit: 100, setId: undefined, deviceId: undefined });
}

test('an index made anew says row by row what the old one said, and goes on', async () => {
  const { vault, device, first } = await fillVault(opened, 30, 40);
  const before = await listing(vault, device);
  await opened.vaults.close();
  const old = readIndexRows(databaseOf(vault));
  const rebuilt = await rebuild(vault);
  expect(rebuilt).toMatchObject({
    findings: [],
    snapshots: 9,
    name: 'A tenant',
    keptAs: expect.stringMatching(/-1$/),
  });
  expect(readIndexRows(databaseOf(vault))).toEqual(old);
  expect(old.chunks.length).toBeGreaterThan(2_400);
  expect(old.pastRefs.length).toBeGreaterThan(100);

  opened = await opened.reopen();
  const again = await opened.vaults.open(vault.tenantId);
  expect(await verifyAll(again)).toEqual([]);
  expect(await listing(again, device)).toEqual(before);
  const going = Object.assign(new GroupedSet(again, device), first);
  Object.assign(going, { vault: again });
  await going.backUp([...first.groups, going.group(going.content(3))]);
  expect(await verifyAll(again)).toEqual([]);
  const read = await readBlobs(again, device, going.refs());
  expect(new Set(read.map(({ status }) => status))).toEqual(new Set(['found']));
});

test('an index that is older than the store refuses writes, serves reads, and is right after a rebuild', async () => {
  const { vault, device } = await addSampleTenant(opened);
  const set = new GroupedSet(vault, device);
  await set.backUp([set.group(set.content(3))]);
  await opened.vaults.close();
  const copy = join(opened.folder, 'old.db');
  cpSync(databaseOf(vault), copy);
  opened = await opened.reopen();
  Object.assign(set, { vault: await opened.vaults.open(vault.tenantId) });
  await set.backUp([...set.groups, set.group(set.content(2))]);
  await set.backUp(set.groups.slice(1));
  const before = await listing(set.vault, device);
  await opened.vaults.close();
  cpSync(copy, databaseOf(vault));

  opened = await opened.reopen();
  const old = await opened.vaults.open(vault.tenantId);
  await expect((await SampleRun.open(old, device)).send(set.content(1))).rejects.toMatchObject({
    code: 'index_unusable',
    parameters: { command: `cofre-server rebuild ${vault.tenantId}` },
  });
  expect((await listing(old, device)).items).toHaveLength(1);
  await opened.vaults.close();

  expect(await rebuild(vault)).toMatchObject({ findings: [], snapshots: 3 });
  opened = await opened.reopen();
  const again = await opened.vaults.open(vault.tenantId);
  expect(await listing(again, device)).toEqual(before);
  expect(await verifyAll(again)).toEqual([]);
  Object.assign(set, { vault: again });
  await set.backUp([...set.groups, set.group(set.content(2))]);
  expect(await verifyAll(again)).toEqual([]);
});

test('a lost index is told as that, and comes back with the same snapshots', async () => {
  const { vault, device } = await fillVault(opened, 3, 5);
  const before = await listing(vault, device);
  await opened.vaults.close();
  const old = readIndexRows(databaseOf(vault));
  rmSync(databaseOf(vault));
  opened = await opened.reopen();
  await expect(opened.vaults.open(vault.tenantId)).rejects.toMatchObject({
    code: 'index_unusable',
    parameters: { command: `cofre-server rebuild ${vault.tenantId}` },
  });
  await opened.vaults.close();
  expect(await rebuild(vault)).toMatchObject({ findings: [], keptAs: null });
  expect(readIndexRows(databaseOf(vault))).toEqual(old);
  opened = await opened.reopen();
  const again = await opened.vaults.open(vault.tenantId);
  expect(await listing(again, device)).toEqual(before);
});

test('with all databases gone, the store brings back indexes and does not let locks run out by the wall clock', async () => {
  const { vault } = await addSampleTenant(opened);
  const device = await addSampleDevice(vault);
  await (await SampleRun.open(vault, device)).backUp([sampleBlob(device)]);
  await opened.vaults.close();
  rmSync(opened.dataFolder, { recursive: true });
  await expect(opened.reopen()).rejects.toMatchObject({
    code: 'settings_invalid',
    parameters: { problem: expect.stringContaining('cofre-server rebuild --all') },
  });
  expect(await rebuild(vault)).toMatchObject({ findings: [] });
  const year = 365 * 24 * 3_600_000;
  const clockSources = { wallMs: () => Date.now() + year, monotonicMs: () => performance.now() };
  opened = await openSampleVaults({ clockSources }, opened.folder);
  expect(opened.vaults.serviceTimeMs()).toBeLessThan(Date.now() + year / 2);
});

test('numbers of files that were given up or were still arriving are not given again', async () => {
  const { vault, device } = await addSampleTenant(opened);
  await (await SampleRun.open(vault, device)).backUp([sampleBlob(device)]);
  await opened.vaults.close();
  writeFileSync(inStore(vault, 'incoming/5000.pack'), 'half');
  writeFileSync(inStore(vault, 'incoming/6000.object'), 'half');
  await rebuild(vault);
  opened = await opened.reopen();
  const again = await opened.vaults.open(vault.tenantId);
  const { packNumber } = await (await SampleRun.open(again, device)).send([sampleBlob(device)]);
  expect(packNumber).toBeGreaterThan(5000);
  const { result } = await (
    await SampleRun.open(again, { ...device, setId: newRandomId<SetId>() })
  ).backUp([]);
  expect(result).toMatchObject({ status: 'committed' });
  expect((result as { number: number }).number).toBeGreaterThan(6000);
});

test('a rebuild refuses while the vaults are open, and leaves them alone', async () => {
  const { vault } = await addSampleTenant(opened);
  await expect(rebuild(vault)).rejects.toEqual(refused('busy'));
  expect(readdirSync(join(opened.dataFolder, 'vaults')).filter((name) => name.includes('rebuil'))).toEqual(
    [],
  );
});

test('a damaged pack costs its own pieces: snapshots are named, writes wait for a word, the next backup heals', async () => {
  const { vault, device } = await addSampleTenant(opened);
  const content = [sampleBlob(device), sampleBlob(device)];
  const kept = sampleBlob(device);
  const run = await SampleRun.open(vault, device);
  await run.send(content);
  const { snapshot, refs } = await run.backUp([...content, kept]);
  await opened.vaults.close();
  // The pack of `content` has lost its end; their second copies in pack 2 are gone too.
  for (const number of [1, 2]) truncateSync(inStore(vault, packPath(number)), 1000);
  const rebuilt = await rebuild(vault);
  expect(rebuilt.findings.map(({ code }) => code)).toEqual([
    'pack_damaged',
    'pack_damaged',
    'snapshot_incomplete',
  ]);
  expect(rebuilt.findings.at(-1)?.affectedSnapshots).toEqual([snapshot.snapshotId]);

  opened = await opened.reopen();
  let again = await opened.vaults.open(vault.tenantId);
  await expect((await SampleRun.open(again, device)).send(content)).rejects.toMatchObject({
    code: 'index_unusable',
    parameters: { command: `cofre-server rebuild --accept ${vault.tenantId}` },
  });
  const read = await readBlobs(again, device, refs);
  expect(read.map(({ status }) => status)).toEqual(['missing', 'missing', 'missing', 'found']);
  await opened.vaults.close();

  const store = await holdStoppedStore(opened.dataFolder, opened.storeFolder);
  expect(await acceptRebuilt(store, vault.tenantId)).toContain('3 things');
  store.release();
  opened = await opened.reopen();
  again = await opened.vaults.open(vault.tenantId);
  const healing = await SampleRun.open(again, device);
  expect(await healing.have([...content, kept].map(({ chunkId }) => chunkId))).toEqual([0, 0, 0]);
  expect(await healing.send([...content, kept])).toMatchObject({ healed: 3 });
  const codes = (await verifyAll(again)).map(({ code }) => code);
  expect(codes).toEqual(['file_without_row', 'file_without_row']);
  expect((await readBlobs(again, device, refs)).map(({ status }) => status)).toEqual(Array(4).fill('found'));
});

test('a node that is lost and comes again is counted with what it refers to', async () => {
  const { vault, device } = await addSampleTenant(opened);
  const set = new GroupedSet(vault, device);
  const shared = set.content(4);
  const groups = [set.group(shared), set.group(shared)];
  const run = await SampleRun.open(vault, device);
  await run.send(shared);
  await run.send([groups[0]?.node as SampleBlob], 'catalog');
  await set.backUp(groups);
  await opened.vaults.close();
  // Both copies of the first node: pack 2 has it alone; in pack 4 it is first.
  rmSync(inStore(vault, packPath(2)));
  flipBit(inStore(vault, packPath(4)), PACK_HEADER_BYTES + BLOB_HEADER_BYTES + 5);
  const rebuilt = await rebuild(vault);
  expect(rebuilt.findings.map(({ code }) => code)).toEqual(['chunk_unreadable', 'snapshot_incomplete']);
  const store = await holdStoppedStore(opened.dataFolder, opened.storeFolder);
  await acceptRebuilt(store, vault.tenantId);
  store.release();
  opened = await opened.reopen();
  const again = await opened.vaults.open(vault.tenantId);
  const healing = await SampleRun.open(again, device);
  expect(await healing.send([groups[0]?.node as SampleBlob], 'catalog')).toMatchObject({ healed: 1 });
  const codes = (await verifyAll(again)).map(({ code }) => code);
  // The altered copy stays where it is; nothing needs it.
  expect(codes.filter((code) => code !== 'pack_needs_rewrite')).toEqual([]);
});

test('altered content is found when everything is read, and an older whole copy takes its place', async () => {
  const { vault, device } = await addSampleTenant(opened);
  const blob = sampleBlob(device);
  const run = await SampleRun.open(vault, device);
  await run.send([blob]);
  await run.send([blob]);
  await run.backUp([]);
  await opened.vaults.close();
  flipBit(inStore(vault, packPath(2)), PACK_HEADER_BYTES + BLOB_HEADER_BYTES + 50);
  const rebuilt = await rebuild(vault, true);
  expect(rebuilt.findings.map(({ code }) => code)).toEqual(['chunk_unreadable']);
  opened = await opened.reopen();
  const read = await readBlobs(await opened.vaults.open(vault.tenantId), device, [blob.chunkId]);
  expect(read[0]?.bytes.equals(blob.bytes)).toBe(true);
});

test('objects that are altered, lost or never acknowledged are told apart', async () => {
  const { vault, device } = await addSampleTenant(opened);
  const set = new GroupedSet(vault, device);
  const manifests: string[] = [];
  for (let count = 0; count < 3; count++) {
    await set.backUp([...set.groups, set.group(set.content(2))]);
    manifests.push(set.snapshot?.snapshotId ?? '');
  }
  const other = new GroupedSet(vault, { ...device, setId: newRandomId<SetId>() });
  await other.backUp([other.group(other.content(1))]);
  await opened.vaults.close();
  const names = readdirSync(inStore(vault, 'objects')).toSorted((one, two) => parseInt(one) - parseInt(two));
  const receipts = names.filter((name) => name.endsWith('.receipt'));
  // The second manifest is altered; the last snapshot of the other set was cut off before its receipt had its name.
  const second = names.filter((name) => name.endsWith('.manifest'))[1] ?? '';
  flipBit(inStore(vault, `objects/${second}`), 60);
  rmSync(inStore(vault, `objects/${receipts.at(-1)}`));
  const rebuilt = await rebuild(vault);
  expect(rebuilt).toMatchObject({ snapshots: 2 });
  expect(rebuilt.findings.map(({ code }) => code)).toEqual(
    expect.arrayContaining(['snapshot_lost', 'chain_gap']),
  );
  expect(rebuilt.findings.find(({ code }) => code === 'snapshot_lost')?.affectedSnapshots).toEqual([
    manifests[1],
  ]);
  expect(existsSync(databaseOf(vault))).toBe(true);
});
