import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import type { ChunkId } from '@cofre/shared/ids';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BackupServer } from '../../../../test/builders/backup-server.ts';
import { FakeVault, type FakeDevice } from '../../../../test/builders/fake-vault.ts';
import { backupOptions, restoreOptions } from '../../../../test/builders/run-options.ts';
import { SeededRandom } from '../../../../test/builders/seeded-random.ts';
import type { ServerClient } from '../client/server-client.ts';
import { runRestore } from '../restore/run-restore.ts';
import { verifySnapshots } from '../verify/verify-snapshots.ts';
import type { BackupFailure, BackupOptions, BackupSummary } from './backup.ts';
import { runBackup } from './run-backup.ts';
import { RUN_PACE, type RunPace } from './run-pace.ts';

/** Runs that are interrupted, that go on in other sessions, and that heal; and what kinds of runs read. */

const FILE_BYTES = 2_000_000;

let folder: string;
let source: string;
let vault: FakeVault;
let device: FakeDevice;
let server: BackupServer;
let failures: BackupFailure[];
let random: SeededRandom;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cofre-resumed-'));
  source = path.join(folder, 'source');
  mkdirSync(source);
  mkdirSync(path.join(folder, 'state'));
  vault = await FakeVault.create();
  device = await vault.addDevice('laptop');
  server = new BackupServer(vault, device);
  random = new SeededRandom(3);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface RunDetails {
  readonly options?: Partial<BackupOptions>;
  readonly client?: ServerClient;
  readonly pace?: Partial<RunPace>;
}

async function backUp({ options, client = server.client(), pace }: RunDetails = {}): Promise<BackupSummary> {
  failures = [];
  const all = backupOptions(source, options);
  const stateFolder = path.join(folder, 'state');
  const context = {
    identity: device.identity,
    client,
    stateFolder,
    cacheFolder: path.join(stateFolder, 'cache'),
  };
  const observer = {
    onProgress: () => undefined,
    onFailure: (failure: BackupFailure) => void failures.push(failure),
  };
  const signal = new AbortController().signal;
  return await runBackup(context, all, observer, signal, { ...RUN_PACE, ...pace });
}

function write(name: string, content: string | Buffer): void {
  writeFileSync(path.join(source, name), content);
}

async function writeFiles(count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    write(`file-${String(number).padStart(2, '0')}`, random.bytes(FILE_BYTES));
  }
  // Fingerprints of files that changed a moment ago are not trusted.
  await new Promise((resolve) => setTimeout(resolve, 60));
}

const cacheFiles = (): string[] =>
  readdirSync(path.join(folder, 'state/cache')).map((name) => path.extname(name));

/** A server that is gone for good when so many packs have come. */
function goneAfter(packs: number): ServerClient {
  const client = server.client();
  let count = 0;
  return {
    ...client,
    putPack: async (...given) => {
      count += 1;
      if (count > packs) throw new CofreError('server_unreachable', { address: 'x', problem: 'gone' });
      return await client.putPack(...given);
    },
  };
}

async function expectAllWhole(): Promise<void> {
  const found: string[] = [];
  const client = server.client();
  const stateFolder = path.join(folder, 'state');
  const observer = {
    onFinding: ({ code }: { code: string }) => void found.push(code),
    onProgress: () => undefined,
  };
  await verifySnapshots(
    { identity: device.identity, client, stateFolder, cacheFolder: stateFolder },
    { kit: vault.kit, readData: true },
    observer,
    new AbortController().signal,
  );
  expect(found).toEqual([]);
}

test('a run that was interrupted is gone on with: nothing is sent twice, and what was done is not read', async () => {
  await writeFiles(40);
  await expect(backUp({ client: goneAfter(6) })).rejects.toMatchObject({ code: 'server_unreachable' });
  const sent = server.packBytes;
  expect(sent).toBeGreaterThan(40_000_000);
  const summary = await backUp();
  expect(summary).toMatchObject({ filesNew: 40, filesUnmodified: 0, filesFailed: 0, kind: 'full' });
  expect(summary.bytesSent).toBeLessThan(40 * FILE_BYTES * 1.02 - sent);
  expect(summary.bytesRead).toBeLessThan(20 * FILE_BYTES);
  expect(cacheFiles().sort()).toEqual(['.full', '.run']);
  await expectAllWhole();
});

test('an interrupted run after the first one is gone on with as well, however often', async () => {
  write('a', 'something');
  await backUp();
  await writeFiles(30);
  let read = 0;
  for (let count = 0; count < 2; count++) {
    await expect(backUp({ client: goneAfter(3) })).rejects.toMatchObject({ code: 'server_unreachable' });
  }
  const last = await backUp();
  read += last.bytesRead;
  expect(last).toMatchObject({ filesNew: 30, filesUnmodified: 1, kind: 'incremental' });
  expect(read).toBeLessThan(22 * FILE_BYTES);
  expect(server.packBytes).toBeLessThan(1.02 * 30 * FILE_BYTES);
  await expectAllWhole();
});

test('what an interrupted run sent, and the vault has lost since then, is read and sent again', async () => {
  await writeFiles(12);
  await expect(backUp({ client: goneAfter(2) })).rejects.toMatchObject({ code: 'server_unreachable' });
  vault.blobs.clear();
  const summary = await backUp();
  expect(summary).toMatchObject({ filesNew: 12, bytesRead: 12 * FILE_BYTES });
  await expectAllWhole();
});

test('a changed file is read again, whatever an interrupted run has read', async () => {
  await writeFiles(12);
  await expect(backUp({ client: goneAfter(3) })).rejects.toMatchObject({ code: 'server_unreachable' });
  write('file-00', 'changed since then');
  expect(await backUp()).toMatchObject({ filesNew: 12, bytesTotal: 11 * FILE_BYTES + 18 });
  await expectAllWhole();
});

test('a session that ends in the middle costs no second reading, however often', async () => {
  await writeFiles(60);
  const client = server.client();
  let packs = 0;
  const putPack: ServerClient['putPack'] = async (...given) => {
    packs += 1;
    if (packs % 3 === 0) server.expireSessions();
    return await client.putPack(...given);
  };
  const summary = await backUp({ client: { ...client, putPack } });
  expect(summary).toMatchObject({ filesNew: 60, filesFailed: 0 });
  expect(server.countOf('openSession')).toBeGreaterThan(3);
  expect(server.packBytes).toBeLessThan(1.05 * 60 * FILE_BYTES);
  expect(summary.bytesRead).toBeLessThan(2.5 * 60 * FILE_BYTES);
  await expectAllWhole();
});

test('a first backup makes checkpoints, each of which can be restored from, and the last snapshot is as ever', async () => {
  await writeFiles(40);
  const summary = await backUp({ pace: { checkpointBytes: 16_000_000 } });
  const partial = server.manifests.slice(0, -1);
  expect(partial.length).toBeGreaterThanOrEqual(2);
  expect(partial.every(({ isComplete, kind, base }) => !isComplete && kind === 'full' && base === null)).toBe(
    true,
  );
  const files = server.manifests.map(({ statistics }) => statistics.files);
  expect(files).toEqual(files.toSorted((a, b) => a - b));
  expect(server.manifests.at(-1)).toMatchObject({ isComplete: true, kind: 'full', base: null, requires: [] });
  expect(summary).toMatchObject({ filesNew: 40, kind: 'full' });
  await expectAllWhole();
  // Nothing that only a checkpoint needed is in the whole one.
  const [chain] = server.chains.values();
  const { snapshotId } = summary;
  await backUp({ options: { setName: 'other' } });
  const alone = [...server.chains.values()].at(-1);
  expect(chain?.snapshotId).toBe(snapshotId);
  expect(Math.abs((chain?.refset.size ?? 0) - (alone?.refset.size ?? 0))).toBeLessThanOrEqual(2);
});

test('an interrupted first backup goes on behind its checkpoint, and makes no poorer one', async () => {
  await writeFiles(40);
  const pace = { checkpointBytes: 16_000_000 };
  await expect(backUp({ client: goneAfter(7), pace })).rejects.toMatchObject({ code: 'server_unreachable' });
  const checkpoints = server.manifests.length;
  expect(checkpoints).toBeGreaterThan(0);
  rmSync(path.join(folder, 'state/cache'), { recursive: true });
  const summary = await backUp({ pace: { checkpointBytes: 1 } });
  expect(summary).toMatchObject({ filesNew: 40, kind: 'full' });
  const files = server.manifests.map(({ statistics }) => statistics.files);
  expect(files).toEqual(files.toSorted((a, b) => a - b));
  expect(server.packBytes).toBeLessThan(1.05 * 40 * FILE_BYTES);
  await expectAllWhole();
});

test('where there is a complete snapshot no checkpoint hides it', async () => {
  write('a', 'something');
  await backUp();
  await writeFiles(20);
  await backUp({ pace: { checkpointBytes: 1, checkpointMs: 1 } });
  expect(server.manifests.map(({ isComplete }) => isComplete)).toEqual([true, true]);
});

test('a run that is longer than a session goes on in the next, behind a checkpoint', async () => {
  await writeFiles(60);
  const client = server.client();
  // Two packs at a time of some eight MiB each: longer than a session, however fast the machine.
  const slow: ServerClient = {
    ...client,
    putPack: async (...given) => {
      await delay(250);
      return await client.putPack(...given);
    },
  };
  const summary = await backUp({ client: slow, pace: { sessionMs: 700 } });
  expect(server.countOf('openSession')).toBeGreaterThan(1);
  expect(server.manifests.length).toBeGreaterThan(1);
  expect(summary).toMatchObject({ filesNew: 60, filesFailed: 0, kind: 'full' });
  expect(server.packBytes).toBeLessThan(1.05 * 60 * FILE_BYTES);
  await expectAllWhole();
});

test('a differential run reads again what changed since the full one, an incremental one does not', async () => {
  await writeFiles(3);
  await backUp();
  write('file-00', random.bytes(FILE_BYTES));
  await writeFilesSettled();
  const [full] = server.manifests;
  expect(await backUp()).toMatchObject({ bytesRead: FILE_BYTES, kind: 'incremental' });
  const differential = await backUp({ options: { kind: 'differential' } });
  expect(differential).toMatchObject({ bytesRead: FILE_BYTES, filesUnmodified: 3, kind: 'differential' });
  expect(differential.bytesSent).toBeLessThan(10_000);
  const ids = vault.snapshots.map(({ snapshotId }) => snapshotId);
  expect(server.manifests.map(({ base }) => base)).toEqual([null, ids[0], ids[0]]);
  expect(full?.kind).toBe('full');
  expect(await backUp()).toMatchObject({ bytesRead: 0, kind: 'incremental' });
  expect(server.manifests.at(-1)?.base).toBe(ids[2]);
  expect(await backUp({ options: { kind: 'full' } })).toMatchObject({ bytesRead: 3 * FILE_BYTES });
  expect(await backUp({ options: { kind: 'differential' } })).toMatchObject({ bytesRead: 0 });
  expect(server.manifests.every(({ requires }) => requires.length === 0)).toBe(true);
  await expectAllWhole();
});

async function writeFilesSettled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 60));
}

test('a differential run on a computer that knows no full one becomes full', async () => {
  await writeFiles(2);
  await backUp();
  rmSync(path.join(folder, 'state/cache'), { recursive: true });
  const summary = await backUp({ options: { kind: 'differential' } });
  expect(summary).toMatchObject({ kind: 'full', bytesRead: 2 * FILE_BYTES });
  expect(server.manifests.at(-1)).toMatchObject({ kind: 'full', base: null });
});

test('a full run that was interrupted reads everything again, and sends nothing twice', async () => {
  await writeFiles(8);
  await backUp();
  await writeFilesSettled();
  for (let number = 0; number < 8; number++) utimesSync(path.join(source, `file-0${number}`), 1, 1);
  const kind = 'full';
  const commit = async (): Promise<never> => {
    throw new CofreError('server_unreachable', { address: 'x', problem: 'gone' });
  };
  const client = { ...server.client(), commit };
  await expect(backUp({ options: { kind }, client })).rejects.toMatchObject({ code: 'server_unreachable' });
  const summary = await backUp({ options: { kind } });
  expect(summary).toMatchObject({ bytesRead: 8 * FILE_BYTES, kind });
  expect(summary.bytesSent).toBeLessThan(10_000);
});

test('a full run counts what the server has not looked at for long', async () => {
  await writeFiles(2);
  await backUp();
  const [chain] = server.chains.values();
  const ids = [...(chain?.refset ?? [])];
  for (const id of ids.slice(0, 2)) server.unverified.add(id);
  expect(await backUp()).toMatchObject({ chunksUnverified: 0 });
  const full = await backUp({ options: { kind: 'full' } });
  // The folders above the source may have changed, and with them the node of the catalog that has them.
  expect(full.chunksUnverified).toBeGreaterThanOrEqual(1);
  expect(full.chunksUnverified).toBeLessThanOrEqual(2);
});

test('what a session names as damaged is read and sent again, and the run says that it was healed', async () => {
  server.tellsDamage = true;
  await writeFiles(3);
  await backUp();
  for (const id of damage()) server.lose(id);
  const commits = server.countOf('commit');
  const summary = await backUp();
  expect(server.countOf('commit')).toBe(commits + 1);
  expect(summary.chunksHealed).toBeGreaterThan(1);
  expect(summary).toMatchObject({ filesUnmodified: 3, filesFailed: 0 });
  await expectAllWhole();
});

test('the catalog of the head is healed too, though the new one has other nodes', async () => {
  server.tellsDamage = true;
  await writeFiles(2);
  await backUp();
  for (const { catalogRoot } of server.manifests) server.lose(catalogRoot);
  write('more', 'which is another catalog');
  expect(await backUp()).toMatchObject({ chunksHealed: 1, filesNew: 1, bytesRead: 24 });
  await expectAllWhole();
});

/** All that the head needs. */
function damage(): ChunkId[] {
  const [chain] = server.chains.values();
  return [...(chain?.refset ?? [])];
}

/** Names of the files that a restore of the last snapshot says are lost. */
async function lostInLatest(): Promise<string[]> {
  const stateFolder = path.join(folder, 'state');
  const client = server.client();
  const context = { identity: device.identity, client, stateFolder, cacheFolder: stateFolder };
  const lost: string[] = [];
  const observer = {
    onProgress: () => undefined,
    onLost: () => undefined,
    onNote: ({ kind, path: at }: { kind: string; path: string }) => {
      if (kind === 'content-lost') lost.push(path.basename(at));
    },
  };
  const options = restoreOptions(vault.kit, path.join(folder, 'target'), { isDryRun: true });
  const summary = await runRestore(context, options, observer, new AbortController().signal);
  expect(summary.failure === null).toBe(lost.length === 0);
  return lost;
}

test.each([true, false])(
  'content that was lost and cannot be read again is left out and named, and the run is committed (told: %s)',
  async (tellsDamage) => {
    server.tellsDamage = tellsDamage;
    await writeFiles(3);
    await backUp();
    for (const id of damage()) server.lose(id);
    // A path that was given and is not there proves nothing: what was known of it is carried on.
    const gone = path.join(source, 'file-01');
    rmSync(gone);
    rmSync(path.join(source, 'file-02'));
    const roots = [source, gone].map((root) => root.slice(1) as ByteString);
    const client = server.client();
    const summary = await backUp({ client, options: { roots } });
    expect(summary).toMatchObject({ filesFailed: 2, filesUnmodified: 1 });
    expect(failures.map(({ reason }) => reason)).toEqual(['ENOENT', 'lost']);
    expect(await lostInLatest()).toEqual(['file-01']);
    // It stays lost, and named, as long as it can be looked at by nobody.
    await backUp({ options: { roots } });
    expect(failures.map(({ reason }) => reason)).toEqual(['ENOENT', 'lost']);
    expect(await lostInLatest()).toEqual(['file-01']);
  },
);
