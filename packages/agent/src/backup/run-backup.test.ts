import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ByteString } from '@cofre/shared/bytes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BackupServer } from '../../../../test/builders/backup-server.ts';
import { FakeVault, type FakeDevice } from '../../../../test/builders/fake-vault.ts';
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
  const all: BackupOptions = {
    setName: 'default',
    roots: [source.slice(1) as ByteString],
    excludes: [],
    oneFileSystem: false,
    excludeCaches: false,
    kind: 'incremental',
    isDryRun: false,
    ...options,
  };
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
  expect(second).toMatchObject({ bytesTotal: 6, bytesRead: 0, bytesSent: 0, chunksNew: 0 });
  expect(second.snapshotId).not.toBe(first.snapshotId);
  expect(server.manifests.map(({ sequence }) => sequence)).toEqual([1, 2]);
});

test('one small change in front of very many unchanged entries does not stop the run', async () => {
  for (let number = 0; number < 18_000; number++) write(`file-${String(number).padStart(5, '0')}`, '');
  await settleClocks();
  await backUp();
  utimesSync(path.join(source, 'file-00000'), 1_600_000_000, 1_600_000_000);
  await settleClocks();
  expect(await backUp()).toMatchObject({ filesChanged: 1, filesUnmodified: 17_999 });
});
