import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import type { AgentComputer } from '../builders/agent-process.ts';
import { backUp, backupLine, expectEnd, expectRestores, restoredAt } from '../builders/agent-run.ts';
import { flipBit } from '../builders/flip-bit.ts';
import type { Account } from '../builders/installation.ts';
import { SeededRandom } from '../builders/seeded-random.ts';
import { storedBlobs } from '../builders/stored-packs.ts';
import { useInstallation } from '../builders/use-installation.ts';

/** Bits rot on the server's disk; a computer that still has the content heals it with its next backup. */

const MIB = 1024 ** 2;

const installation = useInstallation();
let account: Account;
let computer: AgentComputer;
let source: string;

beforeEach(async () => {
  ({ account, computer, source } = await installation().computer());
  mkdirSync(source);
  const random = new SeededRandom('healing');
  for (let number = 0; number < 4; number++) writeFileSync(join(source, `file-${number}`), random.bytes(MIB));
  await delay(60);
});

/** Changes a bit in each of these, and lets the server find it. */
async function damage(kind: 'content' | 'catalog', count = Infinity): Promise<number> {
  const blobs = storedBlobs(installation(), account, kind).slice(0, count);
  for (const { file, offset, length } of blobs) flipBit(file, offset + length - 1);
  expect((await installation().command('scrub', account.tenantId)).status).toBe(1);
  return blobs.length;
}

test.each([['--full'], [undefined]])(
  'content and catalog that were damaged are whole again after the next backup (%s), which says so',
  async (option) => {
    await backUp(computer, source);
    const damaged = (await damage('content', 3)) + (await damage('catalog'));
    expectEnd(await computer.run('verify', '--read-data', '--kit', account.kit), 1);
    const words = option === undefined ? [] : [option];
    const run = await computer.run('backup', source, ...words);
    expectEnd(run, 0);
    expect(run.stdout).toContain(`Healed: ${damaged} damaged pieces on the server are whole again.`);
    expectEnd(await computer.run('verify', '--read-data', '--kit', account.kit), 0);
    expect((await installation().command('damage', account.tenantId)).status).toBe(0);
    const listed = (await computer.run('snapshots', '--json')).json();
    expect(listed).toHaveLength(2);
    for (const { snapshot_id: id } of listed) {
      await expectRestores(computer, account, String(id), { source, target: account.at(String(id)) });
    }
  },
);

test('a lost file that nobody can read any more is named, and stands in the way of nothing', async () => {
  await backUp(computer, source);
  await damage('content');
  // A path that was asked for and is not there proves nothing, so that what was known of it is carried on.
  const gone = join(source, 'file-1');
  rmSync(gone);
  // One that is gone from a folder that was listed is gone.
  rmSync(join(source, 'file-2'));
  const run = await computer.run('backup', source, gone, '--json');
  expectEnd(run, 3);
  expect(backupLine(run)).toMatchObject({ files_unmodified: 2 });
  expect(backupLine(run).chunks_healed).toBeGreaterThan(0);
  const reasons = run.json().flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
  expect(reasons).toEqual(['ENOENT', 'lost']);
  const target = account.at('target');
  const restored = await computer.run(
    'restore',
    'latest',
    '--target',
    target,
    '--kit',
    account.kit,
    '--json',
  );
  expectEnd(restored, 1);
  expect(restored.jsonOf('summary')).toMatchObject({ files_restored: 2, files_lost: 1, is_complete: false });
  const lost = restored.json().filter(({ kind }) => kind === 'content-lost');
  expect(lost).toMatchObject([{ path: gone, code: 'chunk_missing' }]);
  expect(existsSync(restoredAt(target, gone))).toBe(false);
  // When it is there again, it is backed up as ever.
  writeFileSync(gone, 'back');
  await delay(60);
  await backUp(computer, source, gone);
  await expectRestores(computer, account, 'latest', { source, target: account.at('whole') });
});
