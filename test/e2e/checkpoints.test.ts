import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import type { BackupSummary } from '../../packages/agent/src/backup/backup.ts';
import { runBackup } from '../../packages/agent/src/backup/run-backup.ts';
import { RUN_PACE, type RunPace } from '../../packages/agent/src/backup/run-pace.ts';
import { createServerClient } from '../../packages/agent/src/client/http-client.ts';
import { deviceIdentity, requireIdentity } from '../../packages/agent/src/state/identity-file.ts';
import type { AgentComputer } from '../builders/agent-process.ts';
import { expectEnd, expectRestores, restoredAt } from '../builders/agent-run.ts';
import type { Account } from '../builders/installation.ts';
import { backupOptions } from '../builders/run-options.ts';
import { SeededRandom } from '../builders/seeded-random.ts';
import { useInstallation } from '../builders/use-installation.ts';

/** Checkpoints of a first backup and sessions that end, at a pace that a test can wait for, against a real server. */

const MIB = 1024 ** 2;
const FILES = 50;

const installation = useInstallation();
let account: Account;
let computer: AgentComputer;
let source: string;

beforeEach(async () => {
  ({ account, computer, source } = await installation().computer());
  mkdirSync(source);
  const random = new SeededRandom('checkpoints');
  for (let number = 0; number < FILES; number++) {
    writeFileSync(join(source, `file-${String(number).padStart(2, '0')}`), random.bytes(2 * MIB));
  }
  await delay(60);
});

async function backUpAt(pace: Partial<RunPace>): Promise<BackupSummary> {
  const stateFolder = computer.state;
  const identity = deviceIdentity(await requireIdentity(stateFolder));
  const { address, certificatePin, deviceId, credentialSecret } = identity;
  const client = createServerClient({
    address,
    certificatePin,
    credential: `${deviceId}.${credentialSecret}`,
  });
  const options = backupOptions(source);
  const context = { identity, client, stateFolder, cacheFolder: join(stateFolder, 'cache') };
  const observer = { onProgress: () => undefined, onFailure: () => undefined };
  const { signal } = new AbortController();
  try {
    return await runBackup(context, options, observer, signal, { ...RUN_PACE, ...pace });
  } finally {
    await client.close();
  }
}

async function snapshots(): Promise<Record<string, unknown>[]> {
  return (await computer.run('snapshots', '--json')).json();
}

async function expectAllWhole(): Promise<void> {
  expectEnd(await computer.run('verify', '--read-data', '--kit', account.kit), 0);
  expect((await installation().command('verify', account.tenantId)).status).toBe(0);
}

test('each checkpoint is a snapshot that says that it is partial, restores, and gives way to the whole one', async () => {
  expect(await backUpAt({ checkpointBytes: 20 * MIB })).toMatchObject({ filesNew: FILES, kind: 'full' });
  const listed = await snapshots();
  const partial = listed.slice(0, -1);
  expect(partial.length).toBeGreaterThanOrEqual(2);
  expect(partial.map((one) => one['is_complete'])).toEqual(partial.map(() => false));
  expect((await computer.run('snapshots')).stdout).toMatch(/ partial\n[^]* complete\n/);
  await expectAllWhole();
  await expectRestores(computer, account, 'latest', { source, target: account.at('latest') });
  const [first] = partial;
  const target = account.at('partial');
  const words = ['restore', String(first?.['snapshot_id']), '--target', target, '--kit', account.kit];
  const restored = await computer.run(...words);
  expectEnd(restored, 0);
  expect(restored.stdout).toContain('This snapshot is partial');
  expect(readdirSync(restoredAt(target, source)).length).toBe(first?.['files']);
});

test('a run that outlives its sessions goes on in others, and makes one whole snapshot', async () => {
  const summary = await backUpAt({ sessionMs: 600 });
  expect(summary).toMatchObject({ filesNew: FILES, filesFailed: 0 });
  expect(summary.bytesSent).toBeLessThan(1.05 * FILES * 2 * MIB);
  const listed = await snapshots();
  expect(listed.length).toBeGreaterThan(1);
  expect(listed.map((one) => one['is_complete'])).toEqual(
    listed.map((_, place) => place === listed.length - 1),
  );
  await expectAllWhole();
  await expectRestores(computer, account, 'latest', { source, target: account.at('latest') });
});
