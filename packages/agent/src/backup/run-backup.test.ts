import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BackupServer } from '../../../../test/builders/backup-server.ts';
import { FakeVault, type FakeDevice } from '../../../../test/builders/fake-vault.ts';
import { backupOptions } from '../../../../test/builders/run-options.ts';
import { SeededRandom } from '../../../../test/builders/seeded-random.ts';
import type { ServerClient } from '../client/server-client.ts';
import type { AgentContext } from '../state/agent-context.ts';
import type { BackupFailure, BackupOptions, BackupProgress, BackupSummary } from './backup.ts';
import { runBackup } from './run-backup.ts';

let folder: string;
let source: string;
let vault: FakeVault;
let device: FakeDevice;
let server: BackupServer;
let failures: BackupFailure[];
let progress: BackupProgress[];

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cofre-backup-'));
  source = path.join(folder, 'source');
  mkdirSync(source);
  mkdirSync(path.join(folder, 'state'));
  vault = await FakeVault.create();
  device = await vault.addDevice('laptop');
  server = new BackupServer(vault, device);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function contextWith(client: ServerClient): AgentContext {
  const stateFolder = path.join(folder, 'state');
  return { identity: device.identity, client, stateFolder, cacheFolder: path.join(stateFolder, 'cache') };
}

async function backUp(
  options: Partial<BackupOptions> = {},
  client: ServerClient = server.client(),
  signal: AbortSignal = new AbortController().signal,
): Promise<BackupSummary> {
  failures = [];
  progress = [];
  const all = backupOptions(source, options);
  const observer = {
    onProgress: (step: BackupProgress) => void progress.push(step),
    onFailure: (failure: BackupFailure) => void failures.push(failure),
  };
  return await runBackup(contextWith(client), all, observer, signal);
}

/** Fingerprints of files that changed a moment ago are not trusted: some time has to pass. */
async function settleClocks(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 60));
}

/** The folders above the source belong to the snapshot, and others work in them: the catalog may change by itself. */
function expectNoContentSent({ bytesSent, chunksNew }: BackupSummary): void {
  expect(bytesSent).toBeLessThan(10_000);
  expect(chunksNew).toBeLessThanOrEqual(2);
}

function write(name: string, content: string | Buffer): void {
  const file = path.join(source, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}

test('a second run of a tree without changes reads and sends nothing', async () => {
  write('a.txt', 'one');
  write('docs/b.txt', 'two');
  await settleClocks();
  const first = await backUp();
  expect(first).toMatchObject({ filesNew: 2, filesChanged: 0, filesUnmodified: 0, filesFailed: 0 });
  expect(first).toMatchObject({ bytesTotal: 6, bytesRead: 6 });
  const second = await backUp();
  expect(second).toMatchObject({ filesNew: 0, filesChanged: 0, filesUnmodified: 2, filesFailed: 0 });
  expect(second).toMatchObject({ bytesTotal: 6, bytesRead: 0 });
  expectNoContentSent(second);
  expect(second.snapshotId).not.toBe(first.snapshotId);
  expect(server.manifests.map(({ sequence }) => sequence)).toEqual([1, 2]);
});

test('one small change in front of very many unchanged entries does not stop the run', async () => {
  for (let number = 0; number < 16_800; number++) write(`file-${String(number).padStart(5, '0')}`, '');
  await settleClocks();
  await backUp();
  utimesSync(path.join(source, 'file-00000'), 1_600_000_000, 1_600_000_000);
  await settleClocks();
  expect(await backUp()).toMatchObject({ filesChanged: 1, filesUnmodified: 16_799 });
});

/** Content that neither compresses nor occurs twice. */
const random = new SeededRandom(11);

/** An answer that never comes, as from a server that is away: calls wait for it. */
async function never(): Promise<never> {
  return await new Promise<never>(() => {});
}

async function expectInterrupted(client: ServerClient, whenCalled: string): Promise<void> {
  const controller = new AbortController();
  const started = backUp({}, client, controller.signal);
  started.catch(() => undefined);
  while (server.countOf(whenCalled) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const abortedMs = performance.now();
  controller.abort();
  await expect(started).rejects.toMatchObject({ code: 'interrupted', exitCode: 130 });
  expect(performance.now() - abortedMs).toBeLessThan(1500);
}

test('a full quota ends the run at once, with its own error', async () => {
  for (let number = 0; number < 30; number++) write(`big-${number}`, random.bytes(2_000_000));
  const client = server.client();
  const refused = new CofreError('over_quota', { missing: '1 MiB', used: '49 MiB', quota: '50 MiB' });
  let refusals = 0;
  const putPack = async (): Promise<never> => {
    refusals += 1;
    throw refused;
  };
  await expect(backUp({}, { ...client, putPack })).rejects.toBe(refused);
  expect(refusals).toBeLessThanOrEqual(2);
  expect(server.manifests).toEqual([]);
  expect(await backUp()).toMatchObject({ filesNew: 30, filesFailed: 0 });
});

test.each(['openSession', 'have', 'putPack', 'commit', 'storeObject'] as const)(
  'an interrupted run ends promptly while it waits for %s',
  async (name) => {
    write('first', 'something, so that the server has chunks to be asked about');
    await backUp({ setName: 'another' });
    server.calls.length = 0;
    for (let number = 0; number < 8; number++) write(`big-${number}`, random.bytes(3_000_000));
    const client = server.client();
    const waiting = async (): Promise<never> => {
      server.calls.push(`waiting ${name}`);
      return await never();
    };
    await expectInterrupted({ ...client, [name]: waiting }, `waiting ${name}`);
  },
);

test('a signal that was given before ends the run before anything is asked', async () => {
  await expect(backUp({}, server.client(), AbortSignal.abort())).rejects.toMatchObject({
    code: 'interrupted',
  });
  expect(server.calls).toEqual([]);
});

test('a session that expires in the middle is followed by another, and nothing is sent twice', async () => {
  for (let number = 0; number < 12; number++) write(`big-${number}`, random.bytes(2_000_000));
  const client = server.client();
  let packs = 0;
  const putPack: ServerClient['putPack'] = async (sessionId, operationId, parts) => {
    packs += 1;
    if (packs === 2) server.expireSessions();
    return await client.putPack(sessionId, operationId, parts);
  };
  expect(await backUp({}, { ...client, putPack })).toMatchObject({ filesNew: 12, filesFailed: 0 });
  expect(server.countOf('openSession')).toBe(2);
  expect(server.packBytes).toBeLessThan(1.1 * 24_000_000);
  expect(server.manifests).toHaveLength(1);
});

test('what the server wrongly says it has is sent when the commit shows that it has not', async () => {
  write('a', random.bytes(700_000));
  await backUp({ setName: 'another' });
  write('b', random.bytes(900_000));
  const client = server.client();
  // It sticks to what it said in the first session; what the source's folders have become since, it is honest about.
  const lies = new Set<string>();
  const have: ServerClient['have'] = async (sessionId, ids) => {
    const answers = await client.have(sessionId, ids);
    for (const place of answers.keys()) {
      const id = Buffer.from(ids).toString('hex', place * 32, place * 32 + 32);
      if (server.countOf('openSession') === 2) lies.add(id);
      if (lies.has(id)) answers[place] = 1;
    }
    return answers;
  };
  expect(await backUp({}, { ...client, have })).toMatchObject({ filesNew: 2, filesFailed: 0 });
  expect(lies.size).toBeGreaterThan(0);
  expect(server.countOf('commit')).toBe(3);
  expect(server.manifests).toHaveLength(2);
});

test('content that the server lost is read and sent again, though its file is unchanged', async () => {
  write('a', random.bytes(600_000));
  write('docs/b', random.bytes(700_000));
  await settleClocks();
  await backUp();
  const [chain] = server.chains.values();
  for (const id of chain?.refset ?? []) server.lose(id);
  write('c', 'makes the catalog change, so that the server looks at what it refers to');
  expect(await backUp()).toMatchObject({ filesNew: 1, filesFailed: 0 });
  const [after] = server.chains.values();
  expect([...(after?.refset ?? [])].filter((id) => !server.hasChunk(id))).toEqual([]);
});

test('a full run reads every file, and heals what the server lost', async () => {
  write('a', random.bytes(600_000));
  write('docs/b', 'small');
  await settleClocks();
  await backUp();
  const [chain] = server.chains.values();
  for (const id of chain?.refset ?? []) server.lose(id);
  const full = await backUp({ kind: 'full' });
  expect(full).toMatchObject({ filesNew: 0, filesFailed: 0, bytesRead: 600_005 });
  expect(server.manifests.map(({ kind, base }) => [kind, base])).toEqual([
    ['full', null],
    ['full', null],
  ]);
  const [after] = server.chains.values();
  expect([...(after?.refset ?? [])].filter((id) => !server.hasChunk(id))).toEqual([]);
});

test('a commit whose answer was lost costs a question, not a second upload', async () => {
  write('a', random.bytes(600_000));
  await settleClocks();
  const client = server.client();
  const commit: ServerClient['commit'] = async (sessionId, request) => {
    await client.commit(sessionId, request);
    throw new CofreError('server_unreachable', { address: 'x', problem: 'connection reset' });
  };
  await expect(backUp({}, { ...client, commit })).rejects.toMatchObject({ code: 'server_unreachable' });
  const again = await backUp();
  expect(again).toMatchObject({ filesNew: 1, bytesRead: 600_000 });
  expectNoContentSent(again);
  expect(server.manifests.map(({ sequence }) => sequence)).toEqual([1, 2]);
});

test('with the cache of an earlier snapshot the server is asked, and told the whole refset', async () => {
  write('a', random.bytes(600_000));
  await settleClocks();
  await backUp();
  const cache = path.join(folder, 'state/cache');
  const old = path.join(folder, 'old-cache');
  cpSync(cache, old, { recursive: true });
  write('b', random.bytes(500_000));
  await settleClocks();
  await backUp();
  rmSync(cache, { recursive: true });
  cpSync(old, cache, { recursive: true });
  server.calls.length = 0;
  const third = await backUp();
  expect(third).toMatchObject({ filesNew: 1, filesUnmodified: 1 });
  expectNoContentSent(third);
  expect(server.countOf('have')).toBeGreaterThan(0);
  expect(server.manifests).toHaveLength(3);
});

test('a run whose keys cannot be kept ends before anything is sent', async () => {
  for (let number = 0; number < 12; number++) write(`big-${number}`, random.bytes(2_000_000));
  const client = server.client();
  const storeObject = async (): Promise<never> => {
    throw new CofreError('storage_full');
  };
  await expect(backUp({}, { ...client, storeObject })).rejects.toMatchObject({ code: 'storage_full' });
  expect(server.countOf('putPack')).toBe(0);
});

test('each session is left when its attempt is over', async () => {
  write('a', 'content');
  await backUp();
  expect([...server.openSessions.values()].map(({ isOpen }) => isOpen)).toEqual([false]);
});

test('a second attempt tells every failure once, and its numbers go on from those of the first', async () => {
  for (let number = 0; number < 6; number++) write(`big-${number}`, random.bytes(2_000_000));
  const unreadable = path.join(source, 'gone');
  symlinkSync('nowhere', unreadable);
  await settleClocks();
  const client = server.client();
  let commits = 0;
  const commit: ServerClient['commit'] = async (sessionId, request) => {
    commits += 1;
    if (commits === 1) throw new CofreError('head_moved');
    return await client.commit(sessionId, request);
  };
  const roots = [source, path.join(folder, 'not-there')].map((root) => root.slice(1) as ByteString);
  const summary = await backUp({ roots }, { ...client, commit });
  expect(summary).toMatchObject({ filesNew: 6, filesFailed: 1, bytesRead: 12_000_000 });
  expect(failures).toEqual([{ path: roots[1], reason: 'ENOENT', isSkip: false }]);
  for (const [place, step] of progress.entries()) {
    const before = progress[place - 1] ?? step;
    expect(step.filesFound).toBeGreaterThanOrEqual(before.filesFound);
    expect(step.filesDone).toBeGreaterThanOrEqual(before.filesDone);
    expect(step.bytesRead).toBeGreaterThanOrEqual(before.bytesRead);
    expect(step.bytesSent).toBeGreaterThanOrEqual(before.bytesSent);
    expect(step.bytesSeen).toBeGreaterThanOrEqual(before.bytesSeen);
  }
  expect(new Set(progress.map(({ phase }) => phase))).toEqual(
    new Set(['scanning', 'sending', 'committing', 'done']),
  );
});

test('patterns that cannot match are refused before the server is asked', async () => {
  await expect(backUp({ excludes: ['a/../b'] })).rejects.toMatchObject({ code: 'usage' });
  expect(server.calls).toEqual([]);
});

test('roots that are all missing are no snapshot', async () => {
  const roots = ['not/there' as ByteString, 'nor/there' as ByteString];
  await expect(backUp({ roots })).rejects.toMatchObject({ code: 'path_not_found' });
  expect(server.manifests).toEqual([]);
});

test('a root may be a single file, or an empty folder', async () => {
  write('a.txt', 'alone');
  const file = await backUp({ roots: [path.join(source, 'a.txt').slice(1) as ByteString] });
  expect(file).toMatchObject({ filesNew: 1, bytesTotal: 5, filesFailed: 0 });
  rmSync(path.join(source, 'a.txt'));
  expect(await backUp({ setName: 'empty' })).toMatchObject({ filesNew: 0, bytesTotal: 0, filesFailed: 0 });
});

test('a dry run counts as a run would, asks nothing and leaves nothing', async () => {
  write('a.txt', 'one');
  write('docs/b.txt', 'two');
  write('large', random.bytes(700_000));
  await settleClocks();
  const cache = path.join(folder, 'state/cache');
  const nothing = { snapshotId: null, bytesRead: 0, bytesSent: 0, chunksNew: 0, filesFailed: 0 };
  expect(await backUp({ isDryRun: true })).toMatchObject({ ...nothing, filesNew: 3, bytesTotal: 700_006 });
  expect(existsSync(cache)).toBe(false);
  const real = await backUp();
  const kept = readdirSync(cache);
  server.calls.length = 0;
  const { foldersTotal, bytesTotal } = real;
  const same = { ...nothing, filesNew: 0, filesUnmodified: 3, foldersTotal, bytesTotal };
  expect(await backUp({ isDryRun: true })).toMatchObject(same);
  write('a.txt', 'changed');
  rmSync(path.join(source, 'docs/b.txt'));
  write('new', '!');
  const changed = { ...nothing, filesNew: 1, filesChanged: 1, filesUnmodified: 1, bytesTotal: 700_008 };
  expect(await backUp({ isDryRun: true })).toMatchObject(changed);
  expect(await backUp({ isDryRun: true, kind: 'full' })).toMatchObject(changed);
  expect(server.calls).toEqual([]);
  expect(readdirSync(cache)).toEqual(kept);
  expect(new Set(progress.map(({ phase }) => phase))).toEqual(new Set(['scanning', 'done']));
  expect(await backUp()).toMatchObject({ filesNew: 1, filesChanged: 1, filesUnmodified: 1 });
});

test('a dry run of nothing that exists is refused as a run is', async () => {
  const roots = ['not/there' as ByteString];
  await expect(backUp({ isDryRun: true, roots })).rejects.toMatchObject({ code: 'path_not_found' });
});

test('what cannot be done is refused before anything is asked', async () => {
  await expect(backUp({ roots: [] })).rejects.toMatchObject({ code: 'usage' });
  await expect(backUp({ setName: 'x'.repeat(201) })).rejects.toMatchObject({ code: 'usage' });
  expect(server.calls).toEqual([]);
});

test('kinds: the first snapshot is a full one, further ones are what was asked for', async () => {
  write('a', 'content');
  await backUp();
  await backUp();
  await backUp({ kind: 'full' });
  const [first, second] = server.manifests;
  expect(server.manifests.map(({ kind }) => kind)).toEqual(['full', 'incremental', 'full']);
  expect(first?.base).toBeNull();
  expect(second?.base).toBe(second?.previous);
  expect(server.manifests[2]?.base).toBeNull();
});

test('a full run counts files that did not change as unmodified', async () => {
  write('a', random.bytes(600_000));
  write('b', 'small');
  await settleClocks();
  await backUp();
  write('b', 'changed');
  const full = { filesNew: 0, filesChanged: 1, filesUnmodified: 1, bytesRead: 600_007 };
  expect(await backUp({ kind: 'full' })).toMatchObject(full);
});

test('very many paths and patterns do not make a manifest that no server takes', async () => {
  write('a', 'content');
  const excludes = Array.from({ length: 20_000 }, () => random.bytes(12).toString('hex'));
  const missing = Array.from(
    { length: 20_000 },
    () => `none/${random.bytes(12).toString('hex')}` as ByteString,
  );
  await backUp({ excludes, roots: [source.slice(1) as ByteString, ...missing] });
  const [item] = vault.snapshots;
  expect(Buffer.from(item?.manifest ?? '', 'base64').length).toBeLessThan(LIMITS.manifestBytesMax);
});

test('a cache that cannot be written is told, and fails no run', async () => {
  write('a', 'content');
  await settleClocks();
  writeFileSync(path.join(folder, 'state/cache'), 'a file where the folder should be');
  expect(await backUp()).toMatchObject({ filesNew: 1, filesFailed: 0 });
  expect(failures).toMatchObject([{ reason: expect.stringMatching(/^cache E/) as string, isSkip: true }]);
  expect(await backUp()).toMatchObject({ filesNew: 1, bytesRead: 7 });
  rmSync(path.join(folder, 'state/cache'));
  await backUp();
  expect(await backUp()).toMatchObject({ filesNew: 0, filesUnmodified: 1 });
  expect(failures).toEqual([]);
});
