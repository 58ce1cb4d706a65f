import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { Administration } from '../administration/administration.ts';
import { askedOfTenants, tenantsInMemory } from '../../../../test/fakes/memory-tenants.ts';
import { runCommandLine } from './program.ts';

async function run(...words: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const administration = { tenants: tenantsInMemory } as unknown as Administration;
  const appliance = {
    administer: async <Result>(_: unknown, work: (administration: Administration) => Promise<Result>) =>
      work(administration),
  };
  const output = { stdout, stderr: stderr as unknown as NodeJS.WriteStream };
  askedOfTenants.last = [];
  const surroundings = { appliance, output } as unknown as Parameters<typeof runCommandLine>[1];
  const status = await runCommandLine([...words, '--data', 'd'], surroundings, {});
  stdout.end();
  stderr.end();
  return { status, stdout: await text(stdout), stderr: await text(stderr), asked: askedOfTenants.last };
}

test.each([
  [
    ['tenant', 'rename', 'x', 'New'],
    ['rename', 'x', 'New'],
  ],
  [
    ['tenant', 'suspend', 'x'],
    ['suspend', 'x'],
  ],
  [
    ['tenant', 'resume', 'x'],
    ['resume', 'x'],
  ],
  [
    ['tenant', 'modules', 'x', '7'],
    ['setModules', 'x', { modules: 7 }],
  ],
  [
    ['tenant', 'modules', 'x', '7', '--grace', '30'],
    ['setModules', 'x', { modules: 7, graceDays: 30 }],
  ],
  [
    ['tenant', 'code', 'x'],
    ['show', 'x'],
  ],
  [
    ['tenant', 'code', 'x', '--renew'],
    ['renewCode', 'x'],
  ],
  [
    ['tenant', 'delete', 'x', '--yes'],
    ['scheduleDeletion', 'x', { days: 30 }],
  ],
  [
    ['tenant', 'delete', 'x', '--days', '90', '--yes'],
    ['scheduleDeletion', 'x', { days: 90 }],
  ],
  [
    ['tenant', 'undelete', 'x'],
    ['keep', 'x'],
  ],
  [
    ['tenant', 'contact', 'confirm', 'x', 'Ana'],
    ['changeContact', 'x', 'Ana', {}],
  ],
  [
    ['tenant', 'contact', 'remove', 'x', 'Ana'],
    ['removeContact', 'x', 'Ana'],
  ],
  [
    ['tenant', 'contact', 'add', 'x', 'Ana', '--mail', 'ana@example.com', '--main'],
    ['addContact', 'x', { name: 'Ana', mail: 'ana@example.com', phone: '', note: '', isMain: true }],
  ],
  [
    ['tenant', 'contact', 'change', 'x', 'Ana', '--phone', '12'],
    ['changeContact', 'x', 'Ana', { phone: '12' }],
  ],
  [
    ['tenant', 'usage', 'x', '--from', '2026-03-01'],
    ['usage', 'x', { from: '2026-03-01' }],
  ],
  [
    ['usage', 'export', '--to', '2026-03-31'],
    ['usage', null, { to: '2026-03-31' }],
  ],
])('%j asks for just that', async (words, asked) => {
  const ended = await run(...words);
  expect([ended.status, ended.stderr]).toEqual([0, '']);
  expect(ended.asked).toEqual(asked);
});

test.each([
  ['no modules', ['tenant', 'modules', 'x', '0']],
  ['a grace of no days', ['tenant', 'modules', 'x', '1', '--grace', '0']],
  ['a deletion at once', ['tenant', 'delete', 'x', '--days', '0', '--yes']],
  ['a deletion that nobody confirms', ['tenant', 'delete', 'x']],
  ['a name of control characters', ['tenant', 'rename', 'x', 'a\u0007']],
  ['an address that is none', ['tenant', 'contact', 'add', 'x', 'Ana', '--mail', 'ana']],
  ['a day that is none', ['tenant', 'usage', 'x', '--from', '2026-02-30']],
])('%s is refused before anything is asked', async (_, words) => {
  expect(await run(...words)).toMatchObject({ status: 2, stdout: '', asked: [] });
});

test('everything about a tenant is shown, in names that turn no line round', async () => {
  const { stdout } = await run('tenant', 'show', 'x');
  expect(stdout).toContain('Evil\\u{202e}Name');
  expect(stdout).toContain('K7QF-2MXB-9RTA');
  expect(stdout).toContain(
    'suspended since 2026-01-02, to be deleted from 2026-01-02 on, 80 % full since 2026-01-02, ' +
      '1 modules from 2026-01-02 on',
  );
  expect(stdout).toContain('Ana\\u{202e} (main)');
  expect(stdout).toContain('2026-01-02, ask again');
});

test('use by day is a table, CSV that runs no formula, or JSON', async () => {
  expect((await run('tenant', 'usage', 'x')).stdout).toMatch(/2026-03-04 .*2\.0 KiB\s+1\.0 KiB/);
  const csv = (await run('usage', 'export', '--csv')).stdout;
  expect(csv.split('\r\n')[0]).toBe(
    'day,tenant_id,management_code,name,used_bytes_max,used_bytes,quota_bytes,devices',
  );
  expect(csv).toMatch(/^2026-03-04,[0-9a-f]{32},K7QF-2MXB-9RTA,"'=Evil, ""Name""",2048,1024,104857600,1\r$/m);
  const { stdout } = await run('tenant', 'usage', 'x', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ days: [{ day: '2026-03-04', used_bytes_max: 2048 }] });
});
