import { existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteString } from '@cofre/shared/bytes';
import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import type { PackKind } from '@cofre/shared/format/envelope/pack';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AgentComputer, AgentRun } from '../builders/agent-process.ts';
import { backUp, expectEnd, expectSameTrees, restoredAt } from '../builders/agent-run.ts';
import { flipBit } from '../builders/flip-bit.ts';
import type { Account } from '../builders/installation.ts';
import { SeededRandom } from '../builders/seeded-random.ts';
import { storedBlobs, type StoredBlob } from '../builders/stored-packs.ts';
import { useInstallation } from '../builders/use-installation.ts';

/**
 * Packs that a disk altered: whoever restores learns which files that costs and gets all the others, and the
 * provider learns which pack it is.
 */

const EARLY = ['one', 'two', 'three'].map((name) => `early/${name}`);
const LATE = ['one', 'two', 'three', 'four', 'five', 'six'].map((name) => `late/${name}`);

const installation = useInstallation();
let account: Account;
let computer: AgentComputer;
let source: string;
let target: string;
let firstSnapshot: string;

/** Two runs, each with packs of its own. */
beforeEach(async () => {
  ({ account, computer, source } = await installation().computer());
  target = account.at('target');
  mkdirSync(source);
  const random = new SeededRandom('altered');
  const write = (names: readonly string[]): void => {
    mkdirSync(join(source, String(names[0]?.split('/')[0])));
    for (const name of names) writeFileSync(join(source, name), random.part(name).bytes(300_000));
  };
  write(EARLY);
  firstSnapshot = (await backUp(computer, source)).snapshot_id;
  write(LATE);
  await backUp(computer, source);
});

/** The blobs of the one pack of a kind that the last of some runs wrote. */
function blobsOfRun(number: number, kind: PackKind): [StoredBlob, ...StoredBlob[]] {
  const blobs = storedBlobs(installation(), account, kind);
  const files = [...new Set(blobs.map(({ file }) => file))];
  expect(files).toHaveLength(number);
  return blobs.filter(({ file }) => file === files[number - 1]) as [StoredBlob, ...StoredBlob[]];
}

async function restore(...words: string[]): Promise<AgentRun> {
  return await computer.run('restore', ...words, '--target', target, '--kit', account.kit, '--json');
}

function isRestored(name: string): boolean {
  const restored = join(restoredAt(target, source), name);
  try {
    statSync(restored);
  } catch {
    return false;
  }
  return readFileSync(restored).equals(readFileSync(join(source, name)));
}

/** The server's own verification names the pack by its number, which is the name of its file. */
async function expectServerNames({ file }: StoredBlob, code: string): Promise<void> {
  const number = /(\d+)\.pack$/.exec(file)?.[1];
  const verified = await installation().command('verify', account.tenantId, '--json');
  expect([verified.status, verified.stderr]).toEqual([1, '']);
  const { findings } = JSON.parse(verified.stdout) as { findings: Record<string, unknown>[] };
  expect(findings).not.toEqual([]);
  for (const finding of findings) {
    expect(finding).toMatchObject({ code, detail: expect.stringMatching(`^pack ${number}(:| )`) });
  }
}

async function findingsOfAgent(): Promise<Record<string, unknown>[]> {
  const verified = await computer.run('verify', '--read-data', '--kit', account.kit, '--json');
  expectEnd(verified, 1);
  return verified.json().filter((line) => line['message_type'] === 'error');
}

describe('a pack of content', () => {
  test.each<[string, string, (blobs: [StoredBlob, ...StoredBlob[]]) => void]>([
    [
      'with a flipped bit',
      'chunk_unreadable',
      ([{ file, offset, length }]) => flipBit(file, offset + length - 99),
    ],
    // Where a blob says its version: the server sees that it is not what it took, so no update is asked for.
    [
      'with a flipped bit in a version',
      'chunk_unreadable',
      ([{ file, offset }]) => flipBit(file, offset + 4),
    ],
    ['that was cut', 'pack_damaged', ([{ file }]) => truncateSync(file, statSync(file).size >> 1)],
    ['that is gone', 'pack_missing', ([{ file }]) => rmSync(file)],
  ])('%s costs the files that need it: they are named, all others come back', async (_, code, alter) => {
    const blobs = blobsOfRun(2, 'content');
    alter(blobs);
    const run = await restore('latest');
    expectEnd(run, 1);
    const errors = run.json().filter((line) => line['message_type'] === 'error');
    const failure = errors.find((line) => 'exit_code' in line);
    const named = errors.filter((line) => line !== failure).map((line) => line['path']);
    expect(failure).toMatchObject({ code: 'chunk_missing', exit_code: 1 });
    expect(named).not.toEqual([]);
    const isLost = (name: string): boolean => named.includes(join(source, name));
    expect(EARLY.filter(isLost)).toEqual([]);
    expect(named).toHaveLength(LATE.filter(isLost).length);
    for (const name of [...EARLY, ...LATE]) expect([name, isRestored(name)]).toEqual([name, !isLost(name)]);
    expectSameTrees(join(source, 'early'), join(restoredAt(target, source), 'early'));
    expect(run.jsonOf('summary')).toMatchObject({
      files_lost: named.length,
      files_restored: EARLY.length + LATE.length - named.length,
      is_complete: false,
    });
    const [finding, ...others] = await findingsOfAgent();
    expect([finding?.['code'], others]).toEqual(['content_lost', []]);
    expect(finding).toMatchObject({ path_count: named.length, paths: named.map((path) => ({ path })) });
    await expectServerNames(blobs[0], code);
  });
});

describe('a pack of a catalog', () => {
  test('with flipped bits costs its snapshot, which says so; the one before comes back', async () => {
    const blobs = blobsOfRun(2, 'catalog');
    for (const { file, offset, length } of blobs) flipBit(file, offset + length - 9);
    for (const run of [
      await restore('latest'),
      await computer.run('ls', 'latest', '--kit', account.kit, '--json'),
    ]) {
      expectEnd(run, 1);
      expect(run.json().filter((line) => 'exit_code' in line)).toMatchObject([
        { code: 'damaged', message: expect.stringMatching(/^Node [0-9a-f]{64} of a catalog is damaged: /) },
      ]);
    }
    const before = account.at('before');
    const [finding, ...others] = await findingsOfAgent();
    expect([finding?.['code'], others]).toEqual(['catalog_damaged', []]);
    await expectServerNames(blobs[0], 'chunk_unreadable');
    const early = join(source, 'early');
    const words = ['restore', firstSnapshot, '--target', before, '--kit', account.kit, '--json'];
    expectEnd(await computer.run(...words), 0);
    expectSameTrees(early, restoredAt(before, early));
  });

  /** A third run, with so many long names that its catalog has many leaves. */
  async function backUpManyNames(): Promise<string[]> {
    const names: string[] = [];
    for (const folder of ['a', 'b/c', 'd']) {
      mkdirSync(join(source, folder), { recursive: true });
      for (let number = 0; number < 300; number++) {
        names.push(join(folder, `${number}`.padEnd(200, '-')));
        writeFileSync(join(source, names.at(-1) as string), `content ${number}`);
      }
    }
    await backUp(computer, source);
    return names;
  }

  /** What a run says that it has lost, and whether a name of the source is in one of those ranges. */
  function lossesOf(run: AgentRun): { count: number; isLost: (name: string) => boolean } {
    const ranges = run.json().filter((line) => line['kind'] === 'entries-lost');
    const keyOf = (at: unknown): string => catalogKey((at as { path: string }).path.slice(1) as ByteString);
    const count = ranges.reduce((sum, range) => sum + Number(range['entry_count']), 0);
    const isLost = (name: string): boolean => {
      const key = keyOf({ path: join(source, name) });
      return ranges.some(
        ({ from, before }) => key >= keyOf(from) && (before === null || key < keyOf(before)),
      );
    };
    return { count, isLost };
  }

  test('with a flipped bit in one leaf costs the entries in it: their range is told, all others come back', async () => {
    const names = [...EARLY, ...LATE, ...(await backUpManyNames())];
    const leaves = blobsOfRun(3, 'catalog').slice(0, -1);
    expect(leaves.length).toBeGreaterThan(4);
    const { file, offset, length } = leaves[leaves.length >> 1] as StoredBlob;
    flipBit(file, offset + length - 9);
    const run = await restore('latest');
    expectEnd(run, 1);
    expect(run.json().filter((line) => 'exit_code' in line)).toMatchObject([{ code: 'entries_lost' }]);
    const { count, isLost } = lossesOf(run);
    expect(count).toBeGreaterThan(5);
    expect(run.jsonOf('summary')).toMatchObject({ entries_lost: count, is_complete: false, files_lost: 0 });
    const [lost, others] = [names.filter(isLost), names.filter((name) => !isLost(name))];
    expect(lost.length).toBeGreaterThan(5);
    expect(lost.length).toBeLessThanOrEqual(count);
    expect(others.filter((name) => !isRestored(name))).toEqual([]);
    expect(lost.filter(isRestored)).toEqual([]);
    for (const words of [
      ['ls', 'latest', source, '--recursive'],
      ['find', 'latest', '*'],
    ]) {
      const listed = await computer.run(...words, '--kit', account.kit, '--json');
      expectEnd(listed, 1);
      expect(lossesOf(listed).count).toBe(count);
      const paths = new Set(listed.json().map((line) => line['path']));
      expect(names.filter((name) => paths.has(join(source, name)))).toEqual(others);
    }
    await expectServerNames(leaves[0] as StoredBlob, 'chunk_unreadable');
  });

  test('with a flipped bit in the root says that the root is damaged, and nothing else is made or told', async () => {
    await backUpManyNames();
    const { file, offset, length } = blobsOfRun(3, 'catalog').at(-1) as StoredBlob;
    flipBit(file, offset + length - 9);
    const run = await restore('latest');
    expectEnd(run, 1);
    expect(run.json().filter((line) => line['message_type'] !== 'status')).toMatchObject([
      {
        code: 'damaged',
        exit_code: 1,
        message: expect.stringMatching(/^Node [0-9a-f]{64} of a catalog is damaged: /),
      },
    ]);
    expect(existsSync(target)).toBe(false);
  });
});
