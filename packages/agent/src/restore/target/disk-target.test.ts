import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ByteString } from '@cofre/shared/bytes';
import type { Entry } from '@cofre/shared/format/entry';
import { compareTrees, compareTreesInPython } from '../../../../../test/builders/compare-trees.ts';
import { buildHardTree } from '../../../../../test/builders/hard-tree.ts';
import { aclBytes } from '../../../../../test/builders/hard-tree/posix-acl.ts';
import { removeTree } from '../../../../../test/builders/remove-tree.ts';
import { treeEntries } from '../../../../../test/builders/tree-entries.ts';
import type { TreeEntry } from '../../../../../test/builders/tree-entries.ts';
import { lacks } from '../../../../../test/requirements.ts';
import { getExtendedAttribute, setExtendedAttribute } from '../../platform/extended-attributes.ts';
import { openRestoreTarget } from './disk-target.ts';
import { writeWholeFile } from './file-writer.ts';
import { ACCESS_ACL, DEFAULT_ACL } from './posix-acl.ts';
import type { TargetOptions, TargetReport } from './target.ts';

let base: string;
beforeEach(() => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-restore-'));
  fs.chmodSync(base, 0o755);
});
afterEach(() => removeTree(base));

const at = (...names: string[]): string => path.join(base, ...names);
const everything: TargetOptions = { existing: 'refuse', owners: 'numbers', devices: true, setuid: true };

function entry(type: Entry['type'], more: Partial<Entry> = {}): Entry {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  return {
    type,
    mode: type === 'directory' ? 0o755 : 0o644,
    ...owner,
    mtimeNs: 1_000_000_007n,
    size: 0,
    ...more,
  };
}

/** An entry with the content of its file. */
type Listed = readonly [path: string, entry: Entry, content?: string];

const file = (name: string, content: string, more: Partial<Entry> = {}): Listed => {
  return [name, entry('file', { size: content.length, ...more }), content];
};
const folder = (name: string, more: Partial<Entry> = {}): Listed => [name, entry('directory', more)];

function restore(
  target: string,
  listed: readonly Listed[],
  options: Partial<TargetOptions> = {},
): TargetReport {
  const restoring = openRestoreTarget(target, { ...everything, ...options });
  try {
    for (const [name, one, content] of listed) {
      if (content === undefined) restoring.add(name as ByteString, one);
      else {
        const place = restoring.placeFile(name as ByteString, one);
        const pieces = content === '' ? [] : [{ bytes: Buffer.from(content), fileOffset: 0 }];
        if (place !== null) restoring.fileDone(place, writeWholeFile(place, pieces));
      }
    }
    return restoring.finish();
  } finally {
    restoring.close();
  }
}

function restoreTree(source: string, target: string, options: Partial<TargetOptions> = {}): TargetReport {
  return restoreEntries(treeEntries(source), target, options);
}

function restoreEntries(
  entries: Iterable<TreeEntry>,
  target: string,
  options: Partial<TargetOptions> = {},
): TargetReport {
  const restoring = openRestoreTarget(target, { ...everything, ...options });
  for (const one of entries) {
    if (one.content === null) restoring.add(one.path, one.entry);
    else {
      const place = restoring.placeFile(one.path, one.entry);
      if (place !== null) restoring.fileDone(place, writeWholeFile(place, one.content()));
    }
  }
  const report = restoring.finish();
  restoring.close();
  return report;
}

const read = (...names: string[]): string => fs.readFileSync(at(...names), 'utf8');

describe('a restored tree', () => {
  test('equals the original, whatever is in it', { timeout: 120_000 }, () => {
    buildHardTree(at('original'), { seed: 11, entries: 300 });
    const report = restoreTree(at('original'), at('restored'));
    expect(report).toMatchObject({ problems: {}, complete: true });
    expect([...compareTrees(at('original'), at('restored'), { ignoreSockets: true })]).toEqual([]);
    expect(compareTreesInPython(at('original'), at('restored'), { ignoreSockets: true }) ?? []).toEqual([]);
  });

  test('equals the original over an older state that it replaces', { timeout: 120_000 }, () => {
    buildHardTree(at('original'), { seed: 12, entries: 20 });
    buildHardTree(at('restored'), { seed: 13, entries: 20 });
    const report = restoreTree(at('original'), at('restored'), { existing: 'replace' });
    expect(report).toMatchObject({ problems: {}, complete: true });
    expect([...compareTrees(at('original'), at('restored'), { ignoreSockets: true })]).toEqual([]);
  });

  test('closes everything that it opened', () => {
    const folders = Array.from({ length: 600 }, (_, number) => folder(`folder-${number}`));
    const files = folders.map(([name]) => file(`${name}/file`, 'x'));
    expect(restore(at('t'), [...folders, ...files])).toMatchObject({
      files: 600,
      folders: 600,
      complete: true,
    });
    expect(openDescriptorsBelow(base)).toEqual([]);
  });

  test('makes folders that are not listed', () => {
    expect(restore(at('t'), [file('a/b/c', 'x')]).complete).toBe(true);
    expect(read('t', 'a', 'b', 'c')).toBe('x');
  });
});

describe('a path in a catalog', () => {
  test.each([
    '../evil',
    'a/../../evil',
    '/evil',
    '/a/evil',
    '',
    '.',
    'a//evil',
    'a/',
    'a/./evil',
    'x\0y',
    'a\0/x',
  ])('like %j is refused, and the rest is restored', (name) => {
    const listed = [folder('a'), file(name, 'x'), [name, entry('fifo')], file('good', 'y')] as const;
    const report = restore(at('t', 'target'), listed);
    expect(report).toMatchObject({ files: 1, complete: false, problems: { 'unsafe-path': 2 } });
    expect(fs.readdirSync(at('t'))).toEqual(['target']);
    expect(fs.readdirSync(at('t', 'target'))).toEqual(['a', 'good']);
    expect(fs.readdirSync(at('t', 'target', 'a'))).toEqual([]);
  });

  test('does not lead through a link that the catalog itself holds', () => {
    fs.mkdirSync(at('outside'));
    const link = entry('symlink', { linkTarget: at('outside') as ByteString });
    const report = restore(at('t'), [['x', link], file('x/evil', 'x'), file('good', 'y')]);
    expect(fs.readdirSync(at('outside'))).toEqual([]);
    // Links come last, so that the name was taken by a folder then.
    expect(report).toMatchObject({ complete: false, problems: { 'not-restored': 1 } });
    expect(read('t', 'good')).toBe('y');
  });

  test.each(['keep', 'replace', 'rename'] as const)(
    'does not lead through a link that was there, when told to %s',
    (existing) => {
      fs.mkdirSync(at('outside'));
      fs.mkdirSync(at('t'));
      fs.symlinkSync(at('outside'), at('t', 'x'));
      restore(at('t'), [folder('x'), file('x/file', 'x')], { existing });
      expect(fs.readdirSync(at('outside'))).toEqual([]);
      const made = { keep: 'x', replace: 'x/file', rename: 'x.restored-1/file' }[existing];
      expect(fs.existsSync(at('t', made))).toBe(true);
      expect(fs.lstatSync(at('t', 'x')).isSymbolicLink()).toBe(existing !== 'replace');
    },
  );

  test('that comes twice is restored once', () => {
    const report = restore(at('t'), [file('x', 'first'), file('x', 'second'), file('y', 'y')]);
    expect(report).toMatchObject({ files: 2, complete: false, problems: { 'not-restored': 1 } });
    expect(read('t', 'x')).toBe('first');
  });
});

describe('what is in the target already', () => {
  beforeEach(() => {
    fs.mkdirSync(at('t', 'folder', 'full'), { recursive: true });
    fs.writeFileSync(at('t', 'folder', 'file'), 'old');
    fs.writeFileSync(at('t', 'folder', 'full', 'precious'), 'old');
    fs.chmodSync(at('t', 'folder'), 0o700);
  });

  const snapshot = [
    folder('folder', { mode: 0o750 }),
    file('folder/file', 'new'),
    ['folder/full', entry('symlink', { linkTarget: 'x' as ByteString })],
    file('folder/other', 'new'),
    ['folder/linked', entry('file', { hardLinkTo: 'folder/file' as ByteString })],
  ] as const satisfies Listed[];

  test('stays as it is under keep', () => {
    const report = restore(at('t'), snapshot, { existing: 'keep' });
    expect(read('t', 'folder', 'file')).toBe('old');
    expect(read('t', 'folder', 'full', 'precious')).toBe('old');
    expect(read('t', 'folder', 'other')).toBe('new');
    expect(fs.statSync(at('t', 'folder')).mode & 0o777).toBe(0o700);
    // A hard link of the kept file would show what was not saved.
    expect(fs.existsSync(at('t', 'folder', 'linked'))).toBe(false);
    expect(report.problems).toEqual({ 'kept-existing': 2, 'not-restored': 1 });
  });

  test('makes way under replace, but for a folder with something in it', () => {
    const report = restore(at('t'), snapshot, { existing: 'replace' });
    expect(read('t', 'folder', 'file')).toBe('new');
    expect(read('t', 'folder', 'linked')).toBe('new');
    expect(read('t', 'folder', 'full', 'precious')).toBe('old');
    expect(fs.statSync(at('t', 'folder')).mode & 0o777).toBe(0o750);
    expect(report).toMatchObject({ complete: false, problems: { 'not-restored': 1 } });
    expect(report.samples[0]).toMatchObject({ path: 'folder/full', detail: 'ENOTEMPTY' });
    expect(fs.readdirSync(at('t', 'folder')).toSorted()).toEqual(['file', 'full', 'linked', 'other']);
  });

  test('is left and what is restored gets another name under rename', () => {
    fs.writeFileSync(at('t', 'folder', 'file.restored-1'), 'older');
    const report = restore(at('t'), snapshot, { existing: 'rename' });
    expect(read('t', 'folder', 'file')).toBe('old');
    expect(read('t', 'folder', 'file.restored-1')).toBe('older');
    expect(read('t', 'folder', 'file.restored-2')).toBe('new');
    expect(read('t', 'folder', 'linked')).toBe('new');
    expect(fs.readlinkSync(at('t', 'folder', 'full.restored-1'))).toBe('x');
    expect(report).toMatchObject({ complete: true, problems: { renamed: 2 } });
  });

  test('is kept, also the further names of a file of which the first one is kept', () => {
    const linked = entry('file', { hardLinkTo: 'folder/file' as ByteString });
    const listed: Listed[] = [folder('folder'), file('folder/file', 'new'), ['folder/linked', linked]];
    expect(restore(at('t'), listed, { existing: 'replace' }).problems).toEqual({});
    const report = restore(at('t'), listed, { existing: 'keep' });
    expect(report).toMatchObject({ complete: true, problems: { 'kept-existing': 2 } });
    fs.rmSync(at('t', 'folder', 'linked'));
    const less = restore(at('t'), listed, { existing: 'keep' });
    expect(less).toMatchObject({ complete: false, problems: { 'kept-existing': 1, 'not-restored': 1 } });
  });

  test('is never half replaced: a file that fails leaves the old one', () => {
    const restoring = openRestoreTarget(at('t'), { ...everything, existing: 'replace' });
    restoring.add('folder' as ByteString, entry('directory'));
    const place = restoring.placeFile('folder/file' as ByteString, entry('file', { size: 3 }));
    if (place === null) throw new Error('there is a place');
    const unreadable = {
      *[Symbol.iterator]() {
        yield { bytes: Buffer.from('n'), fileOffset: 0 };
        throw Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 });
      },
    };
    restoring.fileDone(place, writeWholeFile(place, unreadable));
    restoring.add('folder/linked' as ByteString, entry('file', { hardLinkTo: 'folder/file' as ByteString }));
    expect(restoring.finish()).toMatchObject({ files: 0, complete: false, problems: { 'not-restored': 2 } });
    restoring.close();
    expect(read('t', 'folder', 'file')).toBe('old');
    expect(fs.readdirSync(at('t', 'folder'))).toEqual(['file', 'full']);
  });

  test('takes no name that another restored file will have', () => {
    const listed = [folder('folder'), file('folder/file', 'a'), file('folder/file.restored-1', 'b')];
    restore(at('t'), listed, { existing: 'rename' });
    const names = fs.readdirSync(at('t', 'folder'));
    expect(names).toEqual(['file', 'file.restored-1', 'file.restored-1.restored-1', 'full']);
    expect(read('t', 'folder', 'file.restored-1')).toBe('a');
  });
});

describe('what may do harm', () => {
  test('is made only when asked for: setuid, setgid', () => {
    const listed = [file('tool', 'x', { mode: 0o6755 }), folder('folder', { mode: 0o2755 })];
    const report = restore(at('t'), listed, { setuid: false });
    expect(fs.statSync(at('t', 'tool')).mode & 0o7777).toBe(0o755);
    expect(fs.statSync(at('t', 'folder')).mode & 0o7777).toBe(0o2755);
    expect(report).toMatchObject({ complete: true, problems: { 'setuid-left-out': 1 } });
    restore(at('u'), listed, { setuid: true });
    expect(fs.statSync(at('u', 'tool')).mode & 0o7777).toBe(0o6755);
  });

  test('is made only when asked for: devices', () => {
    const device = entry('character-device', { device: { major: 1, minor: 3 } });
    const report = restore(at('t'), [['null', device]], { devices: false });
    expect(fs.readdirSync(at('t'))).toEqual([]);
    expect(report.problems).toEqual({ 'device-left-out': 1 });
  });

  test('setuid is not given to a file whose owner is left as it is', () => {
    restore(at('t'), [file('tool', 'x', { mode: 0o4755 })], { owners: 'leave' });
    expect(fs.statSync(at('t', 'tool')).mode & 0o7777).toBe(0o755);
  });

  test('setuid is given to a file that is this user’s own', () => {
    const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mode: 0o6755 };
    const other = { uid: own.uid + 1, gid: 4_000_000, mode: 0o6755 };
    const listed = [file('other', 'x', other), file('own', 'x', own)];
    const report = restore(at('t'), listed, { owners: 'own' });
    expect(fs.statSync(at('t', 'own')).mode & 0o7777).toBe(0o6755);
    expect(fs.statSync(at('t', 'other'))).toMatchObject({ uid: own.uid, gid: own.gid, mode: 0o100755 });
    expect(report.problems).toEqual({ 'setuid-left-out': 1 });
  });

  test.skipIf(lacks('root'))('a file never is more open than it may be', () => {
    // What the owning group may not do, though the mask in the mode's group bits says otherwise.
    const acl = aclBytes({ owner: 6, users: { 7: 7 }, group: 0, groups: {}, mask: 7, others: 0 });
    const xattrs = [{ name: ACCESS_ACL, value: acl }];
    fs.mkdirSync(at('t'));
    execFileSync('mount', ['-t', 'ramfs', 'cofre-test', at('t')]);
    try {
      // This file system has no ACLs.
      const report = restore(at('t'), [file('x', 'secret', { mode: 0o670, xattrs })]);
      expect(report.problems).toEqual({ 'xattr-not-set': 1 });
      expect(fs.statSync(at('t', 'x')).mode & 0o777).toBe(0o600);
    } finally {
      execFileSync('umount', [at('t')]);
    }
  });
});

describe('metadata', () => {
  test('owners are set by name when asked, by number where the name is unknown here', () => {
    const root = { uid: 4242, gid: 4242, userName: 'root', groupName: 'no-such-group' };
    const report = restore(at('t'), [file('x', 'x', root)], { owners: 'names' });
    const status = fs.statSync(at('t', 'x'));
    const wanted = process.getuid?.() === 0 ? [0, 4242] : [process.getuid?.(), process.getgid?.()];
    expect([status.uid, status.gid]).toEqual(wanted);
    expect(report.complete).toBe(true);
  });

  test('nothing is taken over from a target that gives ACLs to what is made in it', () => {
    const acl = aclBytes({ owner: 7, users: { 12: 7 }, group: 7, groups: {}, mask: 7, others: 0 });
    fs.mkdirSync(at('t'));
    setExtendedAttribute(Buffer.from(at('t')), DEFAULT_ACL, acl);
    restore(at('t'), [file('x', 'x'), folder('folder'), file('folder/y', 'y'), file('implied/z', 'z')]);
    for (const name of ['x', 'folder', 'folder/y', 'implied', 'implied/z']) {
      expect(getExtendedAttribute(Buffer.from(at('t', name)), ACCESS_ACL)).toBeNull();
      expect(getExtendedAttribute(Buffer.from(at('t', name)), DEFAULT_ACL)).toBeNull();
    }
    expect(fs.statSync(at('t', 'x')).mode & 0o777).toBe(0o644);
  });

  test.skipIf(lacks('root'))(
    'what only root may set is a warning for others, and the rest is restored',
    () => {
      buildHardTree(at('original'), { seed: 14, entries: 5, unreadable: false });
      fs.mkdirSync(at('t'));
      fs.chownSync(at('t'), 65_534, 65_534);
      const entries = Array.from(treeEntries(at('original')), inMemory);
      const report = asUser(65_534, () => restoreEntries(entries, at('t', 'restored')));
      expect(report.problems).toMatchObject({ 'owner-not-set': expect.any(Number), 'xattr-not-set': 5 });
      const missing = report.samples.filter(({ kind }) => kind === 'not-restored');
      // Device nodes, and hard links of them.
      expect(missing.every((problem) => problem.path.startsWith('specials/'))).toBe(true);
      const differences = [...compareTrees(at('original'), at('t', 'restored'), { ignoreSockets: true })];
      const kinds = new Set(differences.map(({ what }) => what.split(' ')[0]));
      expect(kinds).toEqual(new Set(['gid', 'missing', 'mode', 'uid', 'xattr']));
    },
  );

  test('a time that the file system cannot keep is reported', () => {
    const mtimeNs = 2n ** 62n * 1000n;
    const report = restore(at('t'), [file('x', 'x', { mtimeNs })]);
    expect(report).toMatchObject({ complete: true, problems: { 'times-not-set': 1 } });
  });
});

describe('a full target', () => {
  test.skipIf(lacks('root'))('ends the restore with one clear error, and leaves no half file', () => {
    fs.mkdirSync(at('t'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'cofre-test', at('t')]);
    try {
      const listed = [
        file('fits', 'x'.repeat(100_000)),
        file('does-not', 'x'.repeat(300_000)),
        file('more', 'x'),
      ];
      expect(() => restore(at('t'), listed)).toThrow(expect.objectContaining({ code: 'target_full' }));
      expect(fs.readdirSync(at('t'))).toEqual(['fits']);
    } finally {
      execFileSync('umount', [at('t')]);
    }
  });
});

describe('files written by a worker', () => {
  test('are the same as those written by the main thread', async () => {
    const restoring = openRestoreTarget(at('t'), everything);
    restoring.add('folder' as ByteString, entry('directory'));
    const mtimeNs = 1_234_567_890_123_456_789n;
    const one = entry('file', { mode: 0o640, size: 6, mtimeNs, holes: [{ offset: 3, length: 3 }] });
    const place = restoring.placeFile('folder/\xff' as ByteString, one);
    if (place === null) throw new Error('there is a place');
    const writer = new URL('file-writer.ts', import.meta.url).href;
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(${JSON.stringify(writer)}).then(({ writeWholeFile }) => {
        const pieces = [{ bytes: Buffer.from('abc'), fileOffset: 0 }];
        parentPort.postMessage(writeWholeFile(workerData, pieces));
      });`;
    const worker = new Worker(code, { eval: true, workerData: place });
    const problems = await new Promise<never[]>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    restoring.fileDone(place, problems);
    expect(restoring.finish()).toMatchObject({ files: 1, problems: {} });
    restoring.close();
    const made = Buffer.from(at('t', 'folder', '\xff'), 'latin1');
    expect(fs.readFileSync(made, 'latin1')).toBe('abc\0\0\0');
    const status = fs.statSync(made, { bigint: true });
    expect([status.mode & 0o777n, status.mtimeNs]).toEqual([0o640n, mtimeNs]);
    await worker.terminate();
  });
});

function openDescriptorsBelow(root: string): string[] {
  const targets = fs.readdirSync('/proc/self/fd').map((descriptor) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return 'closed meanwhile';
    }
  });
  return targets.filter((target) => target.startsWith(root));
}

/** Reads the content at once, so that it can be written by somebody who may not read it. */
function inMemory({ path: name, entry: one, content }: TreeEntry): TreeEntry {
  const pieces = content === null ? [] : [...content()];
  return { path: name, entry: one, content: content && (() => pieces.values()) };
}

/** Runs `work` with the rights of another user; this process is root. */
function asUser<Result>(user: number, work: () => Result): Result {
  process.setegid?.(user);
  process.seteuid?.(user);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}
