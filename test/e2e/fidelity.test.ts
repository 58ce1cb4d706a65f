import { closeSync, lstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, expect, test } from 'vitest';
import type { AgentComputer } from '../builders/agent-process.ts';
import { backUp, expectEnd, expectSameTreesTwice, restore, restoredAt } from '../builders/agent-run.ts';
import { buildHardTree, withMaker } from '../builders/hard-tree.ts';
import type { Account } from '../builders/installation.ts';
import { buildRandomTree } from '../builders/random-tree.ts';
import { unprivileged } from '../builders/unprivileged.ts';
import { useInstallation } from '../builders/use-installation.ts';
import { lacks } from '../requirements.ts';

/** A folder comes back as it was, on another computer of the account, whatever is in it. */

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const SECTOR_BYTES = 512;
const HARD_TREE = pathToFileURL(join(import.meta.dirname, '../builders/hard-tree.ts')).href;

const isRoot = process.getuid?.() === 0;
// Without it one comparer stands alone: told, nothing is skipped.
lacks('python3');

const installation = useInstallation();
let account: Account;
let computer: AgentComputer;
let source: string;
let target: string;

beforeEach(async () => {
  ({ account, computer, source } = await installation().computer());
  target = account.at('target');
});

function tellNotMade(notMade: readonly { what: string; why: string }[]): void {
  if (notMade.length > 0)
    console.info(`not made: ${notMade.map(({ what, why }) => `${what}: ${why}`).join('; ')}`);
}

test('a tree with every difficulty that we know of, 20,000 entries in one folder: no difference', async () => {
  tellNotMade(buildHardTree(source, { seed: 1, entries: 20_000 }));
  const first = await backUp(computer, source);
  const other = await account.computer('other');
  await restore(other, account, first.snapshot_id, target);
  expectSameTreesTwice(source, restoredAt(target, source));

  const second = await backUp(computer, source);
  expect(second).toMatchObject({ files_new: 0, files_changed: 0, files_failed: 0, bytes_read: 0 });
  const again = account.at('again');
  await restore(other, account, second.snapshot_id, again);
  expectSameTreesTwice(source, restoredAt(again, source));
});

// Whoever is root has to become somebody else first.
test.skipIf(isRoot && lacks('setpriv', 'unshare', 'mount'))(
  'somebody without rights gets back all that was theirs',
  async () => {
    const user = unprivileged(account.at('project'));
    const home = account.at('home');
    user.give(home);
    source = join(home, 'source');
    const script = `const { buildHardTree } = await import(process.argv[1]);
    buildHardTree(process.argv[2], { seed: 2, asRoot: false, unreadable: false });`;
    user.runScript(script, HARD_TREE, source);
    const mine = await account.computer('mine', { wrap: user.wrap, stateFolder: join(home, 'state') });
    const { snapshot_id: snapshot } = await backUp(mine, source);
    target = join(home, 'target');
    await restore(mine, account, snapshot, target);
    expectSameTreesTwice(source, restoredAt(target, source));
  },
);

test('a file of more than 4 GiB that is mostly a hole comes back whole, and takes no space', async () => {
  const size = 6 * GIB + 12_345;
  withMaker(source, 3, (maker) => {
    const piece = (offset: number) => ({ offset, bytes: maker.random.bytes(MIB) });
    maker.sparseFile('image', size, [0, 4 * GIB - MIB / 2, size - MIB].map(piece));
    maker.sparseFile('nothing', 5 * GIB, []);
  });
  const { bytes_read: read, bytes_sent: sent, bytes_total: total } = await backUp(computer, source);
  expect(total).toBe(size + 5 * GIB);
  expect(read).toBeLessThan(4 * MIB);
  expect(sent).toBeLessThan(4 * MIB);
  await restore(computer, account, 'latest', target);
  expectSameTreesTwice(source, restoredAt(target, source));
  const image = statSync(join(restoredAt(target, source), 'image'));
  expect(image.blocks * SECTOR_BYTES).toBeLessThan(4 * MIB);
  expect(statSync(join(restoredAt(target, source), 'nothing')).blocks).toBe(0);
  expect(lastBytes(join(restoredAt(target, source), 'image'), size)).toEqual(
    lastBytes(join(source, 'image'), size),
  );
});

function lastBytes(file: string, size: number): Buffer {
  const bytes = Buffer.alloc(1000);
  const descriptor = openSync(file, 'r');
  try {
    expect(readSync(descriptor, bytes, 0, bytes.length, size - bytes.length)).toBe(bytes.length);
  } finally {
    closeSync(descriptor);
  }
  return bytes;
}

test('what is beyond the longest path of the kernel can be listed, found and restored by its path', async () => {
  const names = Array.from({ length: 40 }, (_, level) => `${level}-${'n'.repeat(150)}`);
  withMaker(source, 4, (maker) => {
    maker.inNestedFolders(names, (bottom) => bottom.file('bottom', Buffer.from('deep')));
    maker.file('beside', Buffer.from('not asked for'));
  });
  await backUp(computer, source);
  const folder = join(source, ...names);
  expect(folder.length).toBeGreaterThan(4096);
  const found = await computer.run('find', 'latest', 'bottom', '--kit', account.kit);
  expect(found.stdout).toBe(`${join(folder, 'bottom')}\n`);
  const listed = await computer.run('ls', 'latest', folder, '--kit', account.kit, '--json');
  expect(listed.json()).toMatchObject([{ path: join(folder, 'bottom'), type: 'file', size: 4 }]);
  await restore(computer, account, 'latest', target, join(folder, 'bottom'));
  const whole = account.at('whole');
  await restore(computer, account, 'latest', whole);
  expectSameTreesTwice(source, restoredAt(whole, source));
  // The same, but for what was not asked for.
  expect(() => lstatSync(join(restoredAt(target, source), 'beside'))).toThrow('ENOENT');
  expectSameTreesTwice(join(source, names[0] ?? ''), join(restoredAt(target, source), names[0] ?? ''));
});

test('several roots, a file among them and one inside another, come back to their places', async () => {
  buildRandomTree(source, { seed: 5, files: 300, bytes: 3 * MIB });
  const elsewhere = account.at('else where');
  withMaker(elsewhere, 6, (maker) => {
    maker.file('single', Buffer.from('one file'), { mode: 0o640 });
    maker.inFolder('folder', (inside) => inside.file('inside', Buffer.from('x')));
    maker.file('not asked for', Buffer.from('x'));
  });
  const single = join(elsewhere, 'single');
  const inside = join(source, 'folder-0-0');
  await backUp(computer, source, single, inside, join(elsewhere, 'folder'));
  await restore(computer, account, 'latest', target);
  expectSameTreesTwice(source, restoredAt(target, source));
  expectSameTreesTwice(join(elsewhere, 'folder'), join(restoredAt(target, elsewhere), 'folder'));
  const [original, restored] = [lstatSync(single), lstatSync(restoredAt(target, single))];
  expect([restored.mode, restored.mtimeMs, restored.size]).toEqual([original.mode, original.mtimeMs, 8]);
  expect(() => lstatSync(join(restoredAt(target, elsewhere), 'not asked for'))).toThrow('ENOENT');
  // The folders above a root are there as they were.
  expect(lstatSync(restoredAt(target, elsewhere)).mtimeMs).toBe(lstatSync(elsewhere).mtimeMs);
});

test('a run in a folder, with relative paths and dots, says where it was', async () => {
  buildRandomTree(source, { seed: 7, files: 10, bytes: 10_000 });
  await backUp(computer, join(source, '..', 'source', '.'));
  const run = await computer.run('snapshots', '--kit', account.kit, '--json');
  expectEnd(run, 0);
  expect(run.json()).toMatchObject([{ roots: [{ path: source }] }]);
});
