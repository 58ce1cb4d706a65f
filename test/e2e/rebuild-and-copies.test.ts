import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { AgentComputer } from '../builders/agent-process.ts';
import { backUp, expectRestores } from '../builders/agent-run.ts';
import type { Account } from '../builders/installation.ts';
import type { EndedProcess } from '../builders/server-process.ts';
import { useInstallation } from '../builders/use-installation.ts';

/** What a provider does when databases are old, lost or damaged, with real computers that had backed up before. */

const installation = useInstallation();
let account: Account;
let computer: AgentComputer;
let source: string;

beforeEach(async () => {
  if (!isRunning()) await installation().startServer();
  ({ account, computer, source } = await installation().computer());
  mkdirSync(source);
});

function isRunning(): boolean {
  try {
    return installation().server.origin !== '';
  } catch {
    return false;
  }
}

/** Changes the source and backs it up; gives the snapshot. */
async function change(name: string): Promise<string> {
  writeFileSync(join(source, name), `${name} `.repeat(50_000));
  return (await backUp(computer, source)).snapshot_id;
}

function jsonOf({ stdout, stderr, status }: EndedProcess): Record<string, unknown> {
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function snapshots(): Promise<unknown> {
  const run = await computer.run('snapshots', '--kit', account.kit, '--json');
  expect(run.status).toBe(0);
  return run.json();
}

const indexFile = (): string => join(installation().data, 'vaults', `${account.tenantId}.db`);

test('a lost index is named by the agent and made anew; snapshots are the same and backups go on', async () => {
  await change('first');
  await change('second');
  const before = await snapshots();
  const busy = await installation().command('rebuild', account.tenantId);
  expect([busy.status, busy.stdout]).toEqual([expect.any(Number), '']);
  expect(busy.stderr).toMatch(/^error: .*process \d+ on /);
  await installation().stopServer();
  rmSync(indexFile());
  await installation().startServer();
  const refused = await computer.run('backup', source);
  expect(refused.stderr).toContain(`cofre-server rebuild ${account.tenantId}`);
  await installation().stopServer();

  const rebuilt = await installation().command('rebuild', account.tenantId);
  expect(rebuilt).toMatchObject({ status: 0, stderr: '' });
  expect(rebuilt.stdout).toMatch(/2 snapshots/);
  expect(rebuilt.stdout).toMatch(/ read in [\d.]+ s: [\d.]+ [KMG]?i?B\/s of store\n$/);
  await installation().startServer();
  expect(await snapshots()).toEqual(before);
  const latest = await change('third');
  await expectRestores(computer, account, latest, { source, target: account.at('restored') });
  const verified = await installation().command('verify', account.tenantId, '--json');
  expect(jsonOf(verified)).toMatchObject({ snapshots: 3, findings: [] });
});

test('with all databases lost, the store gives tenants and vaults back, and a copy the computers', async () => {
  await change('first');
  expect(jsonOf(await installation().command('copy', 'now', '--json'))).toMatchObject({
    content: { devices: expect.any(Number) },
  });
  const before = await snapshots();
  await installation().stopServer();
  rmSync(installation().data, { recursive: true });

  const start = await installation().command('serve', '--listen', '127.0.0.1:0');
  expect(start.stderr).toContain('cofre-server rebuild --all');
  const rebuilt = jsonOf(await installation().command('rebuild', '--all', '--json'));
  expect(rebuilt).toMatchObject({ directory: { without_vault: [] } });
  const { added, unknown_devices: unknown } = rebuilt['directory'] as Record<string, { tenant_id: string }[]>;
  expect(added?.map(({ tenant_id: tenantId }) => tenantId)).toContain(account.tenantId);
  expect(unknown?.map(({ tenant_id: tenantId }) => tenantId)).toContain(account.tenantId);
  const [copy] = readdirSync(join(installation().store, 'appliance')).toReversed();
  expect(jsonOf(await installation().command('copy', 'restore', copy ?? '', '--json'))).toMatchObject({
    is_revocation_known: true,
    directory: { added: [], without_vault: [], unknown_devices: [], revoked: [] },
    without_index: [],
  });
  await installation().startServer();
  expect(await snapshots()).toEqual(before);
  const latest = await change('second');
  await expectRestores(computer, account, latest, { source, target: account.at('restored') });
});

test('a copy that is put back knows no tenant less, and nobody more, than what was there before', async () => {
  await change('first');
  const lost = await account.computer('lost');
  const revoked = await account.computer('revoked');
  const { name } = jsonOf(await installation().command('copy', 'now', '--json')) as { name: string };
  const later = await installation().account();
  const laterComputer = await later.computer('one');
  const devices = await installation().server.administration.listDevices(account.tenantId);
  const taken = devices.map(({ deviceId }) => deviceId);
  const [, , third] = devices;
  await installation().server.administration.revokeDevice(account.tenantId, third?.deviceId ?? '');
  await installation().stopServer();

  const restored = jsonOf(await installation().command('copy', 'restore', name, '--json'));
  expect(restored).toMatchObject({
    file: name,
    kept_as: expect.stringMatching(/^appliance\.sqlite\.before-restore-\d+$/),
    is_revocation_known: true,
    directory: {
      added: [{ tenant_id: later.tenantId }],
      without_vault: [],
      unknown_devices: [{ tenant_id: later.tenantId, device_id: expect.any(String) }],
      revoked: [{ tenant_id: account.tenantId, device_id: third?.deviceId }],
    },
  });
  await installation().startServer();
  const again = await installation().server.administration.listDevices(account.tenantId);
  expect(again.map(({ deviceId }) => deviceId)).toEqual(taken);
  expect(again[2]?.revoked).not.toBeNull();
  for (const refused of [revoked, laterComputer]) {
    expect((await refused.run('snapshots', '--kit', account.kit)).status).not.toBe(0);
  }
  expect((await lost.run('backup', source)).status).toBe(0);
});

test('a damaged copy is refused before anything is changed', async () => {
  const { name } = jsonOf(await installation().command('copy', 'now', '--json')) as { name: string };
  await installation().stopServer();
  const file = account.at('copy.sqlite');
  cpSync(join(installation().store, 'appliance', name), file);
  writeFileSync(file, 'no database');
  const before = readdirSync(installation().data);
  const refused = await installation().command('copy', 'restore', file);
  expect(refused.stderr).toContain('A copy of the directory is damaged');
  expect(refused.status).not.toBe(0);
  expect(readdirSync(installation().data)).toEqual(before);
});
