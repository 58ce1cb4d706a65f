import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AgentComputer, AgentRun } from '../builders/agent-process.ts';
import {
  backUp,
  expectEnd,
  expectFailure,
  expectSameTrees,
  restore,
  restoredAt,
} from '../builders/agent-run.ts';
import { buildHardTree, withMaker } from '../builders/hard-tree.ts';
import { Installation, type Account } from '../builders/installation.ts';
import { unprivileged } from '../builders/unprivileged.ts';
import { lacks } from '../requirements.ts';

/** Where a restore writes, what it does with what is there, and where it refuses. */

const MIB = 1024 ** 2;
const isRoot = process.getuid?.() === 0;

let installation: Installation;
let account: Account;
let computer: AgentComputer;
/** A hard tree, backed up once for all tests. */
let hard: string;
/** A small tree with a file of some MB. */
let source: string;
let target: string;
let targets = 0;

beforeAll(async () => {
  installation = await Installation.start();
  account = await installation.account();
  computer = await account.computer('one');
  hard = account.at('hard');
  buildHardTree(hard, { seed: 51, sparseBytesMax: 64 * MIB });
  await backUp(computer, hard, '--set', 'hard');
  source = account.at('source');
  withMaker(source, 52, (maker) => {
    maker.file('big', maker.random.bytes(6 * MIB));
    maker.file('file', Buffer.from('restored'), { mode: 0o640 });
    maker.symlink('link', 'file');
    maker.inFolder('folder', (inside) => inside.file('inside', Buffer.from('restored inside')), {
      mode: 0o750,
    });
  });
  await backUp(computer, source, '--set', 'small');
});

afterAll(async () => installation.remove());

beforeEach(() => {
  target = account.at(`target-${++targets}`);
});

async function restoreSmall(...words: string[]): Promise<AgentRun> {
  const asked = ['restore', 'latest', '--set', 'small', '--target', target, '--kit', account.kit];
  return await computer.run(...asked, ...words, '--json');
}

describe('a part of a snapshot', () => {
  test('one folder, whatever is in it, and nothing beside it', async () => {
    const folder = join(hard, 'hard-links');
    await restore(computer, account, 'latest', target, folder, '--set', 'hard');
    expect(readdirSync(restoredAt(target, hard))).toEqual(['hard-links']);
    expectSameTrees(folder, restoredAt(target, folder));
  });

  test('several paths, one inside another, a hard link without its first name', async () => {
    const paths = ['hard-links/z', 'hard-links/a/deep', 'names', 'names/awkward', 'times/2446'];
    await restore(
      computer,
      account,
      'latest',
      target,
      ...paths.map((path) => join(hard, path)),
      '--set',
      'hard',
    );
    expect(readdirSync(restoredAt(target, hard)).sort()).toEqual(['hard-links', 'names', 'times']);
    expectSameTrees(join(hard, 'names'), restoredAt(target, join(hard, 'names')));
    const [one, other] = ['hard-links/z/last', 'hard-links/a/deep/first-in-order'].map((path) =>
      lstatSync(restoredAt(target, join(hard, path))),
    );
    expect([one?.ino, one?.nlink, one?.size]).toEqual([other?.ino, 2, 3 * MIB]);
    expect(lstatSync(restoredAt(target, join(hard, 'times/2446'))).mtimeMs).toBe(
      lstatSync(join(hard, 'times/2446')).mtimeMs,
    );
  });

  test('a single file, and a single link', async () => {
    await restore(
      computer,
      account,
      'latest',
      target,
      join(source, 'link'),
      join(source, 'file'),
      '--set',
      'small',
    );
    expect(readdirSync(restoredAt(target, source)).sort()).toEqual(['file', 'link']);
    expect(readlinkSync(join(restoredAt(target, source), 'link'))).toBe('file');
  });
});

describe('a second restore over the first', () => {
  beforeEach(async () => {
    await restore(computer, account, 'latest', target, '--set', 'hard');
  });

  test('with "replace" gives the same, and mends what was changed', async () => {
    const restored = restoredAt(target, hard);
    writeFileSync(join(restored, 'contents/text'), 'changed');
    chmodSync(join(restored, 'contents/length-1'), 0o777);
    rmSync(join(restored, 'hard-links/across'));
    rmSync(join(restored, 'links/self'));
    symlinkSync('/etc', join(restored, 'links/self'));
    rmSync(join(restored, 'specials/fifo'));
    mkdirSync(join(restored, 'specials/fifo'));
    await restore(computer, account, 'latest', target, '--set', 'hard', '--existing', 'replace');
    expectSameTrees(hard, restored);
  });

  test('with "keep" changes nothing that is there, and brings what is not', async () => {
    const restored = restoredAt(target, hard);
    writeFileSync(join(restored, 'contents/text'), 'changed');
    rmSync(join(restored, 'contents/length-1'));
    const words = ['restore', 'latest', '--set', 'hard', '--target', target, '--kit', account.kit, '--json'];
    const run = await computer.run(...words, '--existing', 'keep');
    expectEnd(run, 0);
    expect(readFileSync(join(restored, 'contents/text'), 'utf8')).toBe('changed');
    expect(lstatSync(join(restored, 'contents/length-1')).size).toBe(1);
    expect(Object.keys(run.jsonOf('summary')['problems'] as object)).toEqual(['kept-existing']);
  });
});

describe('what is in the target already', () => {
  beforeEach(() => {
    const there = restoredAt(target, source);
    mkdirSync(join(there, 'folder'), { recursive: true });
    writeFileSync(join(there, 'file'), 'mine');
    writeFileSync(join(there, 'folder/inside'), 'mine, too');
    writeFileSync(join(there, 'other'), 'not in the snapshot');
  });

  const contentAt = (...names: string[]): string =>
    readFileSync(join(restoredAt(target, source), ...names), 'utf8');

  test('is left alone unless it is said what to do with it', async () => {
    expectFailure(await restoreSmall(), {
      exit: 1,
      code: 'target_not_empty',
      message: `The target ${target} is not empty.`,
      hint: 'Choose an empty folder, or say what to do with what is there: --existing keep, replace or rename.',
    });
    expect(contentAt('file')).toBe('mine');
    expect(existsSync(join(restoredAt(target, source), 'big'))).toBe(false);
  });

  test('is kept', async () => {
    const run = await restoreSmall('--existing', 'keep');
    expectEnd(run, 0);
    expect([contentAt('file'), contentAt('folder', 'inside')]).toEqual(['mine', 'mine, too']);
    expect(run.jsonOf('summary')['problems']).toEqual({ 'kept-existing': 2 });
    expect(lstatSync(join(restoredAt(target, source), 'big')).size).toBe(6 * MIB);
  });

  test('is replaced; what is not in the snapshot stays', async () => {
    const run = await restoreSmall('--existing', 'replace');
    expectEnd(run, 0);
    expect(run.jsonOf('summary')['problems']).toEqual({});
    expect(contentAt('other')).toBe('not in the snapshot');
    rmSync(join(restoredAt(target, source), 'other'));
    const mtime = lstatSync(source);
    expectSameTrees(join(source, 'folder'), join(restoredAt(target, source), 'folder'));
    expect([contentAt('file'), lstatSync(join(restoredAt(target, source), 'file')).mode & 0o777]).toEqual([
      'restored',
      0o640,
    ]);
    expect(mtime.isDirectory()).toBe(true);
  });

  test('gets company: what is restored has another name', async () => {
    const run = await restoreSmall('--existing', 'rename');
    expectEnd(run, 0);
    expect(run.jsonOf('summary')['problems']).toEqual({ renamed: 2 });
    expect([contentAt('file'), contentAt('file.restored-1')]).toEqual(['mine', 'restored']);
    expect([contentAt('folder', 'inside'), contentAt('folder', 'inside.restored-1')]).toEqual([
      'mine, too',
      'restored inside',
    ]);
  });
});

describe('a target that cannot be used', () => {
  const unsafe = { exit: 1, code: 'target_unsafe', hint: 'Choose a real folder.' };

  test('a file', async () => {
    writeFileSync(target, 'a file');
    const message = `The target ${target} cannot be used: it is a link or a file, or lies in one`;
    expectFailure(await restoreSmall(), { ...unsafe, message });
    expect(readFileSync(target, 'utf8')).toBe('a file');
  });

  test.each([
    ['a folder', (place: string) => mkdirSync(place)],
    ['nothing', () => {}],
  ])('a link to %s', async (_, make) => {
    const place = `${target}-behind`;
    make(place);
    symlinkSync(place, target);
    expectFailure(await restoreSmall('--existing', 'replace'), {
      ...unsafe,
      message: new RegExp(`^The target ${target} cannot be used: `),
    });
    expect(existsSync(place) ? readdirSync(place) : []).toEqual([]);
  });

  test('a place below a file', async () => {
    writeFileSync(target, 'a file');
    const below = join(target, 'below');
    const words = ['restore', 'latest', '--set', 'small', '--kit', account.kit, '--json'];
    expectFailure(await computer.run(...words, '--target', below), {
      ...unsafe,
      message: `The target ${below} cannot be used: it is a link or a file, or lies in one`,
    });
  });

  // Everything is open to root: whoever is root has to become somebody else first.
  test.skipIf(isRoot && lacks('setpriv', 'unshare', 'mount'))('a folder of somebody else', async () => {
    const user = unprivileged(account.at('project'));
    user.give(account.at('home'));
    const closed = isRoot ? account.at('closed') : '/proc/1';
    if (isRoot) mkdirSync(closed, { mode: 0o755 });
    const stateFolder = account.at('home', 'state');
    const mine = await account.computer('mine', { wrap: user.wrap, stateFolder });
    const words = ['restore', 'latest', '--set', 'small', '--kit', account.kit, '--json', '--target'];
    for (const place of [closed, join(closed, 'below')]) {
      const message = `The target ${place} cannot be used: this user may not write there`;
      expectFailure(await mine.run(...words, place), { ...unsafe, message });
    }
  });
});

describe('links in the target', () => {
  let outside: string;

  beforeEach(() => {
    outside = `${target}-outside`;
    mkdirSync(outside);
    writeFileSync(join(outside, 'file'), 'must stay');
  });

  function expectOutsideUntouched(): void {
    expect(readdirSync(outside)).toEqual(['file']);
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('must stay');
  }

  test.each(['keep', 'replace', 'rename'])(
    'never lead a restore out of it: a folder, with "%s"',
    async (policy) => {
      // Where the snapshot has a folder, the target has a link that leads out.
      const place = restoredAt(target, account.folder);
      mkdirSync(place, { recursive: true });
      symlinkSync(outside, join(place, 'source'));
      const run = await restoreSmall('--existing', policy);
      expectEnd(run, 0);
      expectOutsideUntouched();
      const isLink = lstatSync(join(place, 'source')).isSymbolicLink();
      expect(isLink).toBe(policy !== 'replace');
    },
  );

  test.each(['keep', 'replace', 'rename'])(
    'never lead a restore out of it: a file, with "%s"',
    async (policy) => {
      const place = restoredAt(target, source);
      mkdirSync(place, { recursive: true });
      symlinkSync(join(outside, 'file'), join(place, 'file'));
      symlinkSync(join(outside, 'new'), join(place, 'big'));
      expectEnd(await restoreSmall('--existing', policy), 0);
      expectOutsideUntouched();
    },
  );
});

describe.skipIf(lacks('root', 'mount', 'umount'))('a disk of its own', () => {
  beforeEach(() => mkdirSync(target));

  function mount(...words: string[]): void {
    expect(spawnSync('mount', [...words, 'cofre-test', target]).stderr.toString()).toBe('');
  }

  test('that is full: it is said, no half file stays, and with room it goes on', async () => {
    mount('-t', 'tmpfs', '-o', 'size=3m');
    try {
      expectFailure(await restoreSmall('--existing', 'replace'), {
        exit: 1,
        code: 'target_full',
        message: `There is no space left at ${target}.`,
        hint: 'Make room or choose another target, and restore again.',
      });
      const left = readdirSync(target, { recursive: true, encoding: 'utf8' });
      expect(left.filter((name) => /big|cofre-restore/.test(name))).toEqual([]);
      spawnSync('mount', ['-o', 'remount,size=30m', target]);
      expectEnd(await restoreSmall('--existing', 'replace'), 0);
      expectSameTrees(source, restoredAt(target, source));
    } finally {
      spawnSync('umount', [target]);
    }
  });

  test('that can only be read', async () => {
    mount('-t', 'tmpfs', '-o', 'ro');
    try {
      expectFailure(await restoreSmall(), {
        exit: 1,
        code: 'target_unsafe',
        message: `The target ${target} cannot be used: its file system can only be read`,
        hint: 'Choose a real folder.',
      });
    } finally {
      spawnSync('umount', [target]);
    }
  });
});
