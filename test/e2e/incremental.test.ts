import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AgentComputer } from '../builders/agent-process.ts';
import { backUp, expectSameTrees, restore, restoredAt } from '../builders/agent-run.ts';
import { changeTree } from '../builders/change-tree.ts';
import { withMaker } from '../builders/hard-tree.ts';
import type { Account } from '../builders/installation.ts';
import { buildRandomTree } from '../builders/random-tree.ts';
import { SeededRandom } from '../builders/seeded-random.ts';
import { useInstallation } from '../builders/use-installation.ts';

/** Runs after the first: only what changed travels, and every snapshot stays what it was. */

const MIB = 1024 ** 2;
/** Of a run that has nothing to say: at most the nodes of the catalog in which a folder's time changed. */
const NOTHING_BYTES_MAX = 20_000;

const installation = useInstallation();
let account: Account;
let computer: AgentComputer;
let source: string;
let restores = 0;
/** Each snapshot with a copy of what it was made of. */
let made: { readonly snapshot: string; readonly copy: string }[];

beforeEach(async () => {
  ({ account, computer, source } = await installation().computer());
  made = [];
});

/** Backs up and keeps a copy of the source to compare with. */
async function backUpAndRemember(...words: string[]) {
  const line = await backUp(computer, source, ...words);
  const copy = account.at(`copy-${made.length}`);
  expect(spawnSync('cp', ['-a', source, copy]).status).toBe(0);
  made.push({ snapshot: line.snapshot_id, copy });
  return line;
}

async function expectAllRestore(snapshots = made): Promise<void> {
  for (const { snapshot, copy } of snapshots) {
    const target = account.at(`restored-${++restores}`);
    await restore(computer, account, snapshot, target);
    expectSameTrees(copy, restoredAt(target, source));
  }
}

test('after each of several rounds of changes all snapshots so far restore', async () => {
  buildRandomTree(source, { seed: 11, files: 150, bytes: 3 * MIB });
  await backUpAndRemember();
  for (let round = 1; round <= 3; round++) {
    changeTree(source, { seed: 1100 + round, share: 0.2 });
    await backUpAndRemember();
    await expectAllRestore();
  }
});

async function expectLastRestores(): Promise<void> {
  await expectAllRestore(made.slice(-1));
}

describe('what travels', () => {
  let first: Awaited<ReturnType<typeof backUpAndRemember>>;

  beforeEach(async () => {
    buildRandomTree(source, { seed: 21, files: 1000, bytes: 12 * MIB });
    first = await backUpAndRemember();
    expect(first).toMatchObject({ files_new: 1000, files_changed: 0, files_unmodified: 0, files_failed: 0 });
  });

  test('of an unchanged source: nothing is read, nothing of it sent', async () => {
    const second = await backUpAndRemember();
    expect(second).toMatchObject({ files_new: 0, files_changed: 0, files_unmodified: 1000, bytes_read: 0 });
    expect(second.bytes_sent).toBeLessThan(NOTHING_BYTES_MAX);
  });

  test('when 1 % of the files changed: little more than these', async () => {
    const changes = changeTree(source, { seed: 22, share: 0.01, kinds: ['appended', 'rewritten'] });
    const changed = changes.reduce((sum, { path }) => sum + statSync(join(source, path)).size, 0);
    const second = await backUpAndRemember();
    expect(second).toMatchObject({
      files_new: 0,
      files_changed: 10,
      files_unmodified: 990,
      bytes_read: changed,
    });
    // The changed files, and the leaves of the catalog that name them.
    expect(second.bytes_sent).toBeLessThan(changed * 1.1 + 10 * 30_000);
    await expectLastRestores();
  });

  test('when the cache was deleted: all is read once more, nothing sent again', async () => {
    rmSync(join(computer.state, 'cache'), { recursive: true });
    const second = await backUpAndRemember();
    expect(second.bytes_read).toBe(second.bytes_total);
    expect(second.bytes_sent).toBeLessThan(NOTHING_BYTES_MAX);
    expect(await backUpAndRemember()).toMatchObject({ files_unmodified: 1000, bytes_read: 0 });
    await expectLastRestores();
  });

  test.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1000)],
    ['altered in the middle', altered],
  ])('when the cache was %s: the run is right all the same', async (_, damage) => {
    const cache = join(computer.state, 'cache');
    for (const name of readdirSync(cache, { recursive: true, encoding: 'utf8' })) {
      const file = join(cache, name);
      if (statSync(file).isFile()) writeFileSync(file, damage(readFileSync(file)));
    }
    changeTree(source, { seed: 24, share: 0.05 });
    await backUpAndRemember();
    await expectLastRestores();
  });

  test('when the state is an old copy, as of a machine that was set back: the run is right', async () => {
    const old = account.at('old state');
    cpSync(computer.state, old, { recursive: true });
    changeTree(source, { seed: 25, share: 0.1 });
    await backUpAndRemember();
    rmSync(computer.state, { recursive: true });
    renameSync(old, computer.state);
    changeTree(source, { seed: 26, share: 0.1 });
    const third = await backUpAndRemember();
    expect(third.bytes_sent).toBeLessThan(first.bytes_sent / 2);
    await expectLastRestores();
  });

  test('when a folder got another name: its large files are read, and not sent again', async () => {
    mkdirSync(join(source, 'name'));
    writeFileSync(join(source, 'name', 'large'), new SeededRandom('large').bytes(8 * MIB));
    await backUpAndRemember();
    renameSync(join(source, 'name'), join(source, 'other name'));
    const third = await backUpAndRemember();
    expect(third.bytes_read).toBe(8 * MIB);
    expect(third.bytes_sent).toBeLessThan(NOTHING_BYTES_MAX + 30_000);
    await expectLastRestores();
  });

  test('of a full run: everything is read, next to nothing sent', async () => {
    const second = await backUpAndRemember('--full');
    expect(second.bytes_read).toBe(second.bytes_total);
    expect(second.bytes_sent).toBeLessThan(first.bytes_sent / 10);
    await expectLastRestores();
  });

  test('of another set of the same computer: only what the first one does not have', async () => {
    const other = await backUpAndRemember('--set', 'other');
    expect(other.files_new).toBe(1000);
    expect(other.bytes_sent).toBeLessThan(first.bytes_sent / 10);
    expect(await backUpAndRemember()).toMatchObject({ files_unmodified: 1000, bytes_read: 0 });
    expect(await backUpAndRemember('--set', 'other')).toMatchObject({
      files_unmodified: 1000,
      bytes_read: 0,
    });
    await expectLastRestores();
  });
});

function altered(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor(copy.length / 2);
  copy[at] = (copy[at] ?? 0) ^ 0x10;
  return copy;
}

test('one changed megabyte in a large file: that travels, not the file', async () => {
  const file = join(source, 'large');
  withMaker(source, 31, (maker) => maker.file('large', maker.random.bytes(64 * MIB)));
  await backUpAndRemember();
  const middle = new SeededRandom('middle').bytes(MIB);
  const bytes = readFileSync(file);
  writeFileSync(file, Buffer.concat([bytes.subarray(0, 30 * MIB), middle, bytes.subarray(30 * MIB)]));
  const second = await backUpAndRemember();
  expect(second.bytes_read).toBe(65 * MIB);
  expect(second.bytes_sent).toBeLessThan(8 * MIB);
  await expectAllRestore();
});

test('changes are seen that leave length and time as they were, and others change little', async () => {
  const at = (name: string): string => join(source, name);
  mkdirSync(source);
  const names = ['content', 'object', 'mode', 'appended', 'cut', 'emptied', 'time', 'nothing'];
  for (const name of names) writeFileSync(at(name), `what stands in ${name}`);
  await backUpAndRemember();
  const { atime, mtime } = statSync(at('content'));
  writeFileSync(at('content'), 'x'.repeat('what stands in content'.length));
  utimesSync(at('content'), atime, mtime);
  const object = statSync(at('object'));
  writeFileSync(at('new'), 'y'.repeat(object.size));
  utimesSync(at('new'), object.atime, object.mtime);
  renameSync(at('new'), at('object'));
  chmodSync(at('mode'), 0o4711);
  appendFileSync(at('appended'), ' more');
  truncateSync(at('cut'), 3);
  truncateSync(at('emptied'));
  utimesSync(at('time'), 0, 0);
  const second = await backUpAndRemember();
  expect(second).toMatchObject({ files_new: 0, files_changed: 7, files_unmodified: 1, files_failed: 0 });
  expect(second.bytes_sent).toBeLessThan(NOTHING_BYTES_MAX);
  await expectAllRestore();
});

describe('what stands under a name', () => {
  test('becomes something else: file, folder, link, FIFO, in every direction', async () => {
    const make: Record<string, (path: string) => void> = {
      file: (path) => writeFileSync(path, 'a file'),
      folder: (path) => {
        mkdirSync(path);
        writeFileSync(join(path, 'inside'), 'inside');
        mkdirSync(join(path, 'below'));
      },
      link: (path) => symlinkSync('elsewhere', path),
      fifo: (path) => void spawnSync('mkfifo', [path]),
      'empty file': (path) => writeFileSync(path, ''),
    };
    const kinds = Object.keys(make);
    const place = (before: string, after: string): string => join(source, `${before} then ${after}`);
    mkdirSync(source);
    for (const before of kinds) for (const after of kinds) make[before]?.(place(before, after));
    await backUpAndRemember();
    for (const before of kinds) {
      for (const after of kinds) {
        rmSync(place(before, after), { recursive: true });
        make[after]?.(place(before, after));
      }
    }
    await backUpAndRemember();
    await backUpAndRemember();
    await expectAllRestore();
  });

  test('hard links lose their first name, their last, all, and gain others', async () => {
    mkdirSync(join(source, 'm'), { recursive: true });
    const names = ['b', 'c', 'm/d', 'z'].map((name) => join(source, name));
    writeFileSync(names[0] ?? '', new SeededRandom('linked').bytes(700_000));
    for (const name of names.slice(1)) linkSync(names[0] ?? '', name);
    await backUpAndRemember();
    rmSync(names[0] ?? '');
    const second = await backUpAndRemember();
    expect(second.bytes_sent).toBeLessThan(NOTHING_BYTES_MAX);
    linkSync(names[1] ?? '', join(source, 'a'));
    rmSync(names[3] ?? '');
    expect((await backUpAndRemember()).bytes_sent).toBeLessThan(NOTHING_BYTES_MAX);
    writeFileSync(join(source, 'a'), 'through one name, seen through all');
    await backUpAndRemember();
    rmSync(join(source, 'c'));
    writeFileSync(join(source, 'c'), 'a file of its own');
    await backUpAndRemember();
    rmSync(join(source, 'a'));
    rmSync(join(source, 'm/d'));
    await backUpAndRemember();
    await expectAllRestore();
  });

  test('the source itself is replaced by a link, and comes back', async () => {
    buildRandomTree(source, { seed: 41, files: 20, bytes: 50_000 });
    await backUpAndRemember();
    renameSync(source, `${source}-moved`);
    mkdirSync(source);
    await backUpAndRemember();
    rmSync(source, { recursive: true });
    renameSync(`${source}-moved`, source);
    await backUpAndRemember();
    await expectAllRestore();
  });
});
