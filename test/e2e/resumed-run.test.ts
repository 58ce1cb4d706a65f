import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import type { AgentComputer, RunningAgent } from '../builders/agent-process.ts';
import { backUp, backupLine, expectEnd, expectRestores } from '../builders/agent-run.ts';
import type { Account } from '../builders/installation.ts';
import { NetworkProxy } from '../builders/network-proxy.ts';
import { SeededRandom } from '../builders/seeded-random.ts';
import { useInstallation } from '../builders/use-installation.ts';

/** First backups that are killed go on; kinds of runs are what they say. */

const MIB = 1024 ** 2;
const FILES = 100;
const FILE_BYTES = 3 * MIB;

const installation = useInstallation();
let account: Account;
let source: string;

beforeEach(async () => {
  account = await installation().account();
  source = account.at('source');
  mkdirSync(source);
});

function writeFiles(count: number, bytes: number): void {
  const random = new SeededRandom('resumed');
  for (let number = 0; number < count; number++) {
    writeFileSync(join(source, `file-${String(number).padStart(3, '0')}`), random.bytes(bytes));
  }
}

/** Nothing passes any more when so much was sent; then the run is killed. */
async function killedAfter(computer: AgentComputer, line: NetworkProxy, bytes: number): Promise<void> {
  const kill = async (agent: RunningAgent): Promise<void> => {
    await line.afterBytes(bytes);
    line.set('frozen');
    // What was read is written out every two seconds at the latest.
    await delay(2500);
    agent.kill('SIGKILL');
  };
  const run = await computer.runWith(['backup', source, '--json'], (agent) => void kill(agent));
  expect(run.signal).toBe('SIGKILL');
  line.set('open');
}

test('a first backup that is killed in the middle sends and reads only what was not done', async () => {
  writeFiles(FILES, FILE_BYTES);
  const line = await NetworkProxy.open(installation().server.origin);
  const computer = await account.computer('one', { origin: line.origin });
  const usedBefore = await account.usedBytes();
  await killedAfter(computer, line, 120 * MIB);
  const kept = (await account.usedBytes()) - usedBefore;
  expect(kept).toBeGreaterThan(90 * MIB);
  const next = await backUp(computer, source);
  expect(next).toMatchObject({ files_new: FILES, files_failed: 0 });
  expect(next.bytes_sent).toBeLessThan(FILES * FILE_BYTES * 1.02 - kept);
  // What was under way when it was killed is read again: packs of two workers, and what they wait for.
  expect(next.bytes_read).toBeLessThan(FILES * FILE_BYTES - kept + 60 * MIB);
  await expectRestores(computer, account, 'latest', { source, target: account.at('restored') });
  const cached = readdirSync(join(computer.state, 'cache')).map((name) => name.replace(/^[0-9a-f]+/, ''));
  expect(cached.sort()).toEqual(['.full', '.run']);
  expect(await backUp(computer, source)).toMatchObject({ files_unmodified: FILES, bytes_read: 0 });
  line.close();
});

test('a differential run compares with the last full one, and the list of snapshots says what each is', async () => {
  const computer = await account.computer('one');
  writeFiles(3, MIB);
  await delay(60);
  expect(await backUp(computer, source)).toMatchObject({ kind: 'full', bytes_read: 3 * MIB });
  writeFileSync(join(source, 'more'), new SeededRandom('more').bytes(MIB));
  await delay(60);
  expect(await backUp(computer, source)).toMatchObject({ kind: 'incremental', bytes_read: MIB });
  const differential = await backUp(computer, source, '--differential');
  expect(differential).toMatchObject({ kind: 'differential', bytes_read: MIB });
  expect(differential.bytes_sent).toBeLessThan(100_000);
  expect(await backUp(computer, source, '--full')).toMatchObject({ kind: 'full', bytes_read: 4 * MIB });
  const listed = (await computer.run('snapshots', '--json')).json();
  expect(listed.map(({ kind, base }) => [kind, base])).toEqual([
    ['full', null],
    ['incremental', listed[0]?.['snapshot_id']],
    ['differential', listed[0]?.['snapshot_id']],
    ['full', null],
  ]);
  const said = await computer.run('snapshots');
  expect(said.stdout).toMatch(/KIND[^]* full [^]* incremental [^]* differential /);
  for (const { snapshot_id: id } of listed.slice(1)) {
    await expectRestores(computer, account, String(id), { source, target: account.at(String(id)) });
  }
});

test('a differential run without a full one before it becomes full, and says so', async () => {
  const computer = await account.computer('one');
  writeFiles(1, MIB);
  const run = await computer.run('backup', source, '--differential');
  expectEnd(run, 0);
  expect(run.stdout).toContain(', full)');
  expect(run.stdout).toContain('knows no full backup to compare with: the differential one became full');
  const again = await computer.run('backup', source, '--differential', '--json');
  expect(backupLine(again)).toMatchObject({ kind: 'differential' });
});
