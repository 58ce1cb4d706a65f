import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ask } from '../builders/http-client.ts';
import { runServerCommand, startServerProcess, type ServerProcess } from '../builders/server-process.ts';

/** People and the audit log as the host sees them: a real server, its log, its command line, its files. */

let folder: string;
let data: string;
let server: ServerProcess | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-people-'));
  data = join(folder, 'data');
});

afterEach(async () => {
  await server?.stop('SIGKILL');
  server = null;
  rmSync(folder, { recursive: true });
});

async function serve(): Promise<ServerProcess> {
  const words = ['--store', join(folder, 'store'), '--listen', '127.0.0.1:0'];
  server = await startServerProcess(data, words);
  return server;
}

const command = (...words: string[]) => runServerCommand([...words, '--data', data]);

test('the first admin comes in with a token, others by links; a changed audit log is found', async () => {
  const running = await serve();
  const made = await command('user', 'first-run-token');
  expect(made.status).toBe(0);
  const token = made.stdout.trim();
  const post = (path: string, body: object) =>
    ask(running.origin, { method: 'POST', path, body, headers: { origin: running.origin } });
  const password = 'violet harbour ninety lamps';
  const admin = { token, login: 'root', name: 'Root', password };
  expect((await post('/v1/first-run', admin)).json).toMatchObject({ state: 'signed_in' });
  expect((await command('user', 'first-run-token')).status).not.toBe(0);

  await command('tenant', 'create', 'Acme', '--modules', '1');
  const invited = await command('user', 'create', 'ana', '--role', 'tenant_admin', '--tenant', 'Acme');
  expect(invited.stdout).toMatch(new RegExp(`^${running.origin}/activate#[\\w-]{43}\\n$`));
  const link = invited.stdout.trim().split('#')[1] ?? '';
  expect((await post('/v1/invitations/accept', { token: link, password })).status).toBe(204);
  expect((await command('user', 'list', '--tenant', 'Acme')).stdout).toMatch(/ana .* tenant_admin +active/);
  expect((await command('user', 'create', 'eva', '--role', 'tenant_admin')).status).not.toBe(0);

  const { stderr } = await running.stop();
  const logged = stderr.split('\n').filter((line) => line.includes('firstRunToken'));
  expect(logged).toHaveLength(1);
  expect([token, link, password].filter((secret) => stderr.includes(secret))).toEqual([]);

  const whole = await command('audit', 'verify');
  expect([whole.status, whole.stdout]).toEqual([
    0,
    expect.stringMatching(/entries follow each other; head \d+:/),
  ]);
  const exported = await command('audit', 'export', '--tenant', 'Acme');
  const actions = exported.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { action: string }).action);
  expect(actions).toEqual(['tenant.created', 'user.invited', 'user.activated', ...looks(actions)]);

  changeEntry(2);
  const broken = await command('audit', 'verify');
  expect([broken.status, broken.stdout]).toEqual([1, expect.stringContaining('broken at entry 2')]);
});

const looks = (actions: string[]) => actions.slice(3).filter((action) => action === 'tenant.looked_at');

/** Somebody who may write to the database takes the triggers away and alters an entry. */
function changeEntry(number: number): void {
  const database = new DatabaseSync(join(data, 'appliance.sqlite'));
  database.exec('DROP TRIGGER audit_entries_are_not_changed');
  database.prepare("UPDATE audit_entries SET actor_name = 'somebody else' WHERE number = ?").run(number);
  database.close();
}
