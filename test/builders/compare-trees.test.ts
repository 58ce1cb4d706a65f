import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimesAt } from '@cofre/agent/platform/posix';
import type { ByteString } from '@cofre/shared/bytes';
import { lacks } from '../requirements.ts';
import { changeTree } from './change-tree.ts';
import { compareTrees, compareTreesInPython } from './compare-trees.ts';
import type { TreeDifference } from './compare-trees.ts';
import { buildHardTree, withMaker } from './hard-tree.ts';
import { aclBytes } from './hard-tree/posix-acl.ts';
import { TreeMaker } from './hard-tree/tree-maker.ts';
import { buildRandomTree } from './random-tree.ts';
import { removeTree } from './remove-tree.ts';
import { SeededRandom } from './seeded-random.ts';
import { TreeFolder } from './tree-folder.ts';

let base: string;
beforeEach(() => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-trees-'));
});
afterEach(() => removeTree(base));

const at = (...names: string[]): string => path.join(base, ...names);

const COMPARERS = {
  'in node': (expected: string, actual: string) => [...compareTrees(expected, actual)],
  'in python': (expected: string, actual: string) => compareTreesInPython(expected, actual) ?? [],
} as const;

const noPython = lacks('python3');
const comparers = Object.entries(COMPARERS).filter(([name]) => name !== 'in python' || !noPython);

/** One of everything that a comparison looks at. */
function makeSample(root: string): void {
  withMaker(root, 7, (maker) => {
    const xattrs = { 'user.one': Buffer.from('1') };
    maker.attempt('attributes', () => maker.file('attributed', Buffer.from('x'), { xattrs }));
    maker.file('content', maker.random.bytes(3 << 20));
    maker.file('empty');
    maker.sparseFile('sparse', 1 << 20, [{ offset: 0, bytes: maker.random.bytes(4096) }]);
    maker.file('linked', Buffer.from('one object'));
    maker.hardLink('linked', maker, 'linked-too');
    maker.symlink('link', 'target-\xff');
    maker.fifo('fifo');
    maker.inFolder('folder', (inside) => inside.file('\xff\n', Buffer.from('inside')));
    maker.inNestedFolders(Array<string>(30).fill('n'.repeat(200)), (bottom) => bottom.file('deep'));
  });
}

const MUTATIONS: Record<string, readonly [what: string, mutate: () => void]> = {
  'a file that is missing': ['missing', () => fs.rmSync(at('b', 'empty'))],
  'a file too many': ['unexpected', () => fs.writeFileSync(at('b', 'more'), '')],
  'a folder that is missing': ['missing', () => removeTree(at('b', 'folder'))],
  'another type': ['type', () => swap('empty', (name) => fs.mkdirSync(name))],
  'another mode': ['mode', () => fs.chmodSync(at('b', 'empty'), 0o4644)],
  'another mode of a folder': ['mode', () => fs.chmodSync(at('b', 'folder'), 0o1755)],
  'a time 1 ns later': ['mtime', () => moveTime('content', 1n)],
  'a time of a folder': ['mtime', () => moveTime('folder', 1n)],
  'a time of a link': ['mtime', () => moveTime('link', 1n)],
  'one byte at the end': ['content', () => flipByte('content', (3 << 20) - 1)],
  'one byte in the second block': ['content', () => flipByte('content', (1 << 20) + 5)],
  'one byte more': ['size', () => fs.appendFileSync(at('b', 'content'), 'x')],
  'a hole that is filled': ['data extents', () => writeAt('sparse', 512 << 10, Buffer.alloc(4096))],
  'another link target': ['link target', () => swap('link', (name) => fs.symlinkSync('target', name))],
  'a hard link that is a copy': [
    'hard link',
    () => swap('linked-too', (name) => fs.copyFileSync(at('b', 'linked'), name)),
  ],
  'a hard link too many': ['hard link', () => swap('empty', (name) => fs.linkSync(at('b', 'linked'), name))],
  'a difference below a path of over 4,096 bytes': [
    'unexpected',
    () => inDeepFolder((folder) => fs.writeFileSync(folder.at('more' as ByteString), '')),
  ],
};

describe.each(comparers)('comparing trees %s', (_, compare) => {
  beforeEach(() => {
    makeSample(at('a'));
    makeSample(at('b'));
  });

  test('finds nothing where there is no difference', () => {
    expect(compare(at('a'), at('b'))).toEqual([]);
  });

  test.each(Object.entries(MUTATIONS))('finds %s', (_title, [what, mutate]) => {
    mutate();
    expect(compare(at('a'), at('b')).map((difference) => difference.what)).toContain(what);
  });

  test('names the path in bytes, and both values', () => {
    fs.chmodSync(Buffer.from(at('b', 'folder', '\xff\n'), 'latin1'), 0o600);
    const difference: TreeDifference = {
      path: 'folder/\xff\n' as ByteString,
      what: 'mode',
      expected: '0o644',
      actual: '0o600',
    };
    expect(compare(at('a'), at('b'))).toEqual([difference]);
  });

  test.skipIf(lacks('root'))('finds other owners, groups, attributes, ACLs and devices', () => {
    const acl = aclBytes({ owner: 6, users: { 12: 4 }, group: 4, groups: {}, mask: 4, others: 4 });
    const changes: Record<string, (maker: TreeMaker) => void> = {
      uid: (maker) => maker.apply('empty', { uid: 5 }),
      gid: (maker) => maker.apply('link', { gid: 5 }),
      'xattr user.one': (maker) => maker.apply('attributed', { xattrs: { 'user.one': Buffer.from('2') } }),
      'xattr trusted.t': (maker) => maker.apply('link', { xattrs: { 'trusted.t': Buffer.alloc(0) } }),
      'xattr system.posix_acl_access': (maker) =>
        maker.apply('content', { xattrs: { 'system.posix_acl_access': acl } }),
    };
    inFolder('b', (maker) => {
      for (const change of Object.values(changes)) change(maker);
      maker.device('device', 'character-device', { major: 1, minor: 3 });
    });
    inFolder('a', (maker) => maker.device('device', 'character-device', { major: 1, minor: 5 }));
    const found = compare(at('a'), at('b')).map(({ what }) => what.replaceAll("'", ''));
    for (const what of [...Object.keys(changes), 'device number']) expect(found).toContain(what);
  });
});

describe('a hard tree', () => {
  test('is the same for the same seed, and another for another', { timeout: 120_000 }, () => {
    const sparseBytesMax = 5 * 1024 ** 3;
    const notMade = buildHardTree(at('a'), { seed: 1, entries: 50, sparseBytesMax });
    expect(buildHardTree(at('b'), { seed: 1, entries: 50, sparseBytesMax })).toEqual(notMade);
    for (const [, compare] of comparers) expect(compare(at('a'), at('b'))).toEqual([]);
    buildHardTree(at('c'), { seed: 2, entries: 50 });
    expect([...compareTrees(at('a'), at('c'))].length).toBeGreaterThan(1000);
  });

  test(
    'defeats cp where cp is known to fail: zeros that are data, and long paths',
    { timeout: 120_000 },
    () => {
      buildHardTree(at('a'), { seed: 3, entries: 10, unreadable: false });
      try {
        execFileSync('cp', ['-a', '--sparse=always', at('a'), at('b')], { stdio: 'ignore' });
      } catch {
        // It says itself that it could not copy everything.
      }
      const expected = new Set(['missing', 'data extents']);
      for (const [, compare] of comparers) expect(kindsOf(compare(at('a'), at('b')))).toEqual(expected);
    },
  );
});

describe('a random tree', () => {
  test('has as many files as asked for, and is changed in the same way by the same seed', () => {
    for (const name of ['a', 'b', 'c']) buildRandomTree(at(name), { seed: 4, files: 300, bytes: 3_000_000 });
    expect([...compareTrees(at('a'), at('b'))]).toEqual([]);
    expect(countFiles(at('a'))).toBe(300);
    const changes = changeTree(at('b'), { seed: 5, share: 0.1 });
    expect(changes.length).toBe(30);
    expect(changeTree(at('c'), { seed: 5, share: 0.1 })).toEqual(changes);
    const changed = [...compareTrees(at('a'), at('b'))].map((difference) => difference.path);
    const inPlace = changes.filter(({ kind }) => kind !== 'added');
    expect(changed).toEqual(expect.arrayContaining(inPlace.map((change) => change.path)));
  });
});

function kindsOf(differences: readonly TreeDifference[]): Set<string> {
  return new Set(differences.map(({ what }) => what));
}

function countFiles(root: string): number {
  return fs.readdirSync(root, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).length;
}

function inFolder(name: string, use: (maker: TreeMaker) => void): void {
  const folder = TreeFolder.open(at(name));
  use(new TreeMaker(folder, new SeededRandom(1), []));
  folder.close();
}

/** Replaces something in the second tree and gives it the times of what was there. */
function swap(name: string, make: (path: string) => void): void {
  const { mtimeNs } = fs.lstatSync(at('b', name), { bigint: true });
  fs.rmSync(at('b', name));
  make(at('b', name));
  setTime(name, mtimeNs);
}

function moveTime(name: string, byNs: bigint): void {
  setTime(name, fs.lstatSync(at('b', name), { bigint: true }).mtimeNs + byNs);
}

function setTime(name: string, mtimeNs: bigint): void {
  const folder = TreeFolder.open(at('b'));
  setTimesAt(folder.descriptor, name as ByteString, { mtimeNs });
  folder.close();
}

function flipByte(name: string, offset: number): void {
  const content = fs.readFileSync(at('b', name));
  writeAt(name, offset, Buffer.from([(content[offset] ?? 0) ^ 1]));
}

/** Writes without any other trace: the time of change is put back. */
function writeAt(name: string, offset: number, bytes: Buffer): void {
  const { mtimeNs } = fs.lstatSync(at('b', name), { bigint: true });
  const descriptor = fs.openSync(at('b', name), 'r+');
  fs.writeSync(descriptor, bytes, 0, bytes.length, offset);
  fs.closeSync(descriptor);
  setTime(name, mtimeNs);
}

function inDeepFolder(use: (folder: TreeFolder) => void): void {
  let folder = TreeFolder.open(at('b'));
  for (let level = 0; level < 30; level++) {
    const below = folder.below('n'.repeat(200) as ByteString);
    folder.close();
    folder = below;
  }
  use(folder);
  folder.close();
}
