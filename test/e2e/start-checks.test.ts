import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serveTenant } from '../builders/served-tenant.ts';
import { runServerCommand, startServerProcess, type ServerProcess } from '../builders/server-process.ts';
import { lacks } from '../requirements.ts';

/** On what a server refuses to start, because it would have to promise what it can't keep. */

let folder: string;
let words: string[];
let running: ServerProcess | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-start-'));
  words = ['--store', join(folder, 'store'), '--listen', '127.0.0.1:0'];
  running = null;
});

afterEach(async () => {
  await running?.stop('SIGKILL');
  rmSync(folder, { recursive: true });
});

const data = (): string => join(folder, 'data');

async function serve(): Promise<ServerProcess> {
  running = await startServerProcess(data(), words, {});
  return running;
}

test('what the server makes is for its account alone, databases and copies too', async () => {
  const server = await serve();
  const tenant = await serveTenant(server, 'Shop');
  await tenant.backUp();
  await runServerCommand(['copy', 'now', '--data', data()]);
  const open = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => (statSync(join(folder, name)).mode & 0o077) !== 0,
  );
  expect(open).toEqual([]);
});

test('without the list of tenants it does not start, and names the copy', async () => {
  const server = await serve();
  await server.administration.createTenant({ name: 'Shop', modules: 1 });
  const { name } = await server.administration.copyDirectory();
  await server.stop();
  for (const file of readdirSync(data())) {
    if (file.startsWith('appliance.sqlite')) rmSync(join(data(), file));
  }
  const refused = await runServerCommand(['serve', '--data', data(), ...words]);
  expect(refused.stderr).toContain(`cofre-server copy restore ${name}`);
  expect(refused.status).toBe(2);
  rmSync(join(folder, 'store', 'appliance', name));
  const again = await runServerCommand(['serve', '--data', data(), ...words]);
  expect(again.stderr).toContain('cofre-server rebuild --all');
});

test('a store in the folder of the databases is refused before anything is made', async () => {
  const refused = await runServerCommand([
    'serve',
    '--data',
    data(),
    '--store',
    join(data(), 'store'),
    '--listen',
    '127.0.0.1:0',
  ]);
  expect([refused.status, refused.stdout]).toEqual([2, '']);
  expect(refused.stderr).toContain(
    'The setting --store cannot be used: it lies in the folder of the databases',
  );
});

test.skipIf(lacks('strace')).each([
  ['fsync:error=EIO', 'what is written to it cannot be synced (EIO)'],
  ['link,linkat:error=EPERM', 'its file system has no hard links (EPERM)'],
])('where %s, it says so and does not start', async (inject, problem) => {
  const start = startServerProcess(data(), words, {}, (command) => [
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    `inject=${inject}`,
    ...command,
  ]);
  await expect(start).rejects.toThrow(`The setting --data cannot be used: ${data()}: ${problem}`);
});
