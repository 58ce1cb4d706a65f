import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serveTenant, type ServedTenant } from '../builders/served-tenant.ts';
import {
  runServerCommand,
  startServerProcess,
  type EndedProcess,
  type ServerProcess,
} from '../builders/server-process.ts';

/** Keeping and deleting snapshots as an administrator does it, over the socket and on the files. */

let folder: string;
let data: string;
let folders: string[];
let server: ServerProcess;
let tenant: ServedTenant;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-retention-'));
  data = join(folder, 'data');
  folders = ['--store', join(folder, 'store')];
  server = await startServerProcess(data, [...folders, '--listen', '127.0.0.1:0']);
  tenant = await serveTenant(server, 'Shop');
});

afterEach(async () => {
  await server.stop('SIGKILL');
  rmSync(folder, { recursive: true });
});

function command(...words: string[]): Promise<EndedProcess> {
  return runServerCommand([...words, '--data', data, ...folders]);
}

async function json(...words: string[]): Promise<Record<string, unknown>> {
  const ended = await command(...words, '--json');
  expect([ended.status, ended.stderr]).toEqual([0, '']);
  return JSON.parse(ended.stdout) as Record<string, unknown>;
}

test('rules are set and shown, what is locked is not deleted, and a lock gets longer only', async () => {
  const { deviceId, setId } = tenant.device;
  const { snapshotId } = tenant.snapshot;
  const scope = ['--device', deviceId.slice(0, 8), '--set', setId.slice(0, 8)];
  const ruled = await json(
    'retention',
    'set',
    'Shop',
    ...scope,
    '--daily',
    '7',
    '--time-zone',
    'America/Lima',
  );
  expect(ruled).toMatchObject({
    lock_ms: 7 * 86_400_000,
    by_default: { mode: 'everything' },
    sets: [{ set_id: setId, choice: { mode: 'rule', time_zone: 'America/Lima', rule: { daily: 7 } } }],
  });
  expect(await json('retention', 'show', 'Shop')).toEqual(ruled);
  const preview = await json('retention', 'preview', 'Shop', '--keep-last', '1');
  expect(preview).toMatchObject({ freed_bytes: 0, items: [{ snapshot_id: snapshotId, stays: true }] });
  expect(await json('retention', 'apply', 'Shop', '--yes')).toMatchObject({ marked: 0 });

  const locked = await command('snapshot', 'delete', 'Shop', snapshotId.slice(0, 10), '--yes');
  expect(locked.status).toBe(1);
  expect(locked.stderr).toContain('is locked until');
  const whole = await command('snapshot', 'delete', 'Shop', '--whole-set', ...scope, '--dry-run');
  expect(whole.stderr).toContain('is locked until');
  const { snapshots } = await json('snapshot', 'list', 'Shop');
  expect(snapshots).toMatchObject([
    { snapshot_id: snapshotId, state: 'kept', device_name: 'device of Shop' },
  ]);
  expect((await command('snapshot', 'undelete', 'Shop', snapshotId)).stdout).toBe('it was not deleted\n');
  expect((await command('snapshot', 'delete', 'Shop', 'abcdef12', '--yes')).status).toBe(10);

  expect((await command('tenant', 'lock', 'Shop', '--days', '6')).status).toBe(1);
  expect((await command('tenant', 'lock', 'Shop', '--days', '4000')).status).toBe(1);
  expect(await json('tenant', 'lock', 'Shop', '--days', '30')).toMatchObject({ lock_ms: 30 * 86_400_000 });
  expect(await json('tenant', 'undo-time', 'Shop', '--days', '3')).toMatchObject({
    soft_delete_ms: 3 * 86_400_000,
  });
  const sizes = tenant.blob.bytes.length + tenant.root.bytes.length;
  expect((await json('stats', 'Shop'))['tenants']).toMatchObject([
    { sets: [{ set_id: setId, head_bytes: sizes, past_bytes: 0, snapshots: 1 }] },
  ]);
  expect(await json('verify', 'Shop')).toMatchObject({ findings: [] });
});

test('with the server stopped it works on the files', async () => {
  await server.stop();
  const ruled = await json('retention', 'set', 'Shop', '--keep-last', '3');
  expect(ruled).toMatchObject({ by_default: { mode: 'rule', rule: { keep_last: 3 } } });
  const locked = await command('snapshot', 'delete', 'Shop', tenant.snapshot.snapshotId, '--dry-run');
  expect(locked.stderr).toContain('is locked until');
  expect(await json('tenant', 'lock', 'Shop', '--days', '30')).toMatchObject({ lock_ms: 30 * 86_400_000 });
  expect(await json('retention', 'show', 'Shop')).toEqual({ ...ruled, lock_ms: 30 * 86_400_000 });
});
