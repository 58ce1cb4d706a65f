import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { ByteString } from '@cofre/shared/bytes';
import {
  FAKE_MTIME_NS,
  fakeFifo,
  fakeFile,
  fakeFolder,
  fakeHardLink,
  fakeSparseFile,
  fakeSymlink,
  withFolders,
} from '../../../../test/builders/fake-entries.ts';
import { fakeContext, type FakeTraffic } from '../../../../test/builders/fake-server-client.ts';
import { FakeVault, type FakeDevice, type FakeTree } from '../../../../test/builders/fake-vault.ts';
import { restoreOptions } from '../../../../test/builders/run-options.ts';
import { SeededRandom } from '../../../../test/builders/seeded-random.ts';
import type { RestoreNote, RestoreOptions, RestoreProgress } from './restore.ts';
import { runRestore } from './run-restore.ts';

let folder: string;
let target: string;
let vault: FakeVault;
let device: FakeDevice;
let notes: RestoreNote[];
let progress: RestoreProgress[];
let traffic: FakeTraffic;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cofre-restore-'));
  target = path.join(folder, 'target');
  vault = await FakeVault.create();
  device = await vault.addDevice('laptop');
  notes = [];
  progress = [];
  traffic = { readGrants: 0, chunksSent: 0 };
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function restore(options: Partial<RestoreOptions> = {}, signal = new AbortController().signal) {
  const all = restoreOptions(vault.kit, target, options);
  const observer = {
    onProgress: (step: RestoreProgress) => void progress.push(step),
    onNote: (note: RestoreNote) => void notes.push(note),
    onLost: () => {},
  };
  return await runRestore(fakeContext(vault, device, folder, traffic), all, observer, signal);
}

const random = new SeededRandom(7);
const bigContent = random.part('big').bytes(300_000);
const smallTree: FakeTree = withFolders({
  'home/ana/notes.txt': fakeFile('first note'),
  'home/ana/empty': fakeFile(''),
  'home/ana/big.bin': fakeFile(bigContent, { mode: 0o640 }),
  'home/ana/link': fakeSymlink('notes.txt'),
  'home/ana/same': fakeHardLink('home/ana/notes.txt'),
  'home/ana/pipe': fakeFifo(),
  'home/ana/docs': fakeFolder({ mode: 0o750 }),
  'home/ana/docs/a.txt': fakeFile('a'),
  'home/ben/b.txt': fakeFile('b'),
});

function read(name: string): Buffer {
  return readFileSync(path.join(target, name));
}

describe('a whole snapshot', () => {
  it('comes back with content, metadata, links and special files', async () => {
    await vault.backUp(device, smallTree);
    const summary = await restore();
    expect(summary).toMatchObject({ failure: null, filesRestored: 5, foldersRestored: 5, filesLost: 0 });
    expect(read('home/ana/notes.txt').toString()).toBe('first note');
    expect(read('home/ana/big.bin').equals(bigContent)).toBe(true);
    expect(read('home/ana/empty')).toHaveLength(0);
    expect(readlinkSync(path.join(target, 'home/ana/link'))).toBe('notes.txt');
    expect(statSync(path.join(target, 'home/ana/same')).ino).toBe(
      statSync(path.join(target, 'home/ana/notes.txt')).ino,
    );
    expect(lstatSync(path.join(target, 'home/ana/pipe')).isFIFO()).toBe(true);
    expect(statSync(path.join(target, 'home/ana/big.bin')).mode & 0o7777).toBe(0o640);
    expect(statSync(path.join(target, 'home/ana/docs')).mode & 0o7777).toBe(0o750);
    for (const name of ['', 'home', 'home/ana/docs', 'home/ana/notes.txt', 'home/ana/link']) {
      expect(lstatSync(path.join(target, name), { bigint: true }).mtimeNs).toBe(FAKE_MTIME_NS);
    }
  });

  it('tells where it is, up to the whole', async () => {
    await vault.backUp(device, smallTree);
    await restore();
    const last = progress.at(-1);
    expect(last).toMatchObject({ phase: 'done', filesDone: 6, filesTotal: 6, bytesDone: 300_012 });
    expect(last?.bytesTotal).toBe(300_012);
  });

  it('can be restored a second time over the first', async () => {
    await vault.backUp(device, smallTree);
    await restore();
    writeFileSync(path.join(target, 'home/ana/notes.txt'), 'changed since');
    await expect(restore()).rejects.toMatchObject({ code: 'target_not_empty' });
    const summary = await restore({ existing: 'replace' });
    expect(summary.failure).toBeNull();
    expect(read('home/ana/notes.txt').toString()).toBe('first note');
    expect(statSync(path.join(target, 'home/ana/same')).nlink).toBe(2);
  });

  it('brings back holes as holes', async () => {
    const MIB = 1024 * 1024;
    const [first, second] = [random.part('one').bytes(70_000), random.part('two').bytes(50_000)];
    const holes = [
      { offset: 70_000, length: 8 * MIB },
      { offset: 70_000 + 8 * MIB + 50_000, length: MIB },
    ];
    const size = 120_000 + 9 * MIB;
    const tree = withFolders({
      sparse: fakeSparseFile(size, holes, Buffer.concat([first, second])),
      hole: fakeSparseFile(MIB, [{ offset: 0, length: MIB }], Buffer.alloc(0)),
    });
    await vault.backUp(device, tree);
    expect((await restore()).failure).toBeNull();
    const expected = Buffer.alloc(size);
    first.copy(expected, 0);
    second.copy(expected, 70_000 + 8 * MIB);
    expect(read('sparse').equals(expected)).toBe(true);
    expect(read('hole').equals(Buffer.alloc(MIB))).toBe(true);
    expect(statSync(path.join(target, 'sparse')).blocks * 512).toBeLessThan(MIB);
  });

  it('says which entries are of an earlier run, or changed while they were read', async () => {
    const flags = { stale: { sinceNs: FAKE_MTIME_NS, reason: 'EACCES' } };
    const tree = withFolders({
      old: fakeFile('old', { flags }),
      log: fakeFile('log', { flags: { changedWhileRead: true } }),
    });
    await vault.backUp(device, tree);
    expect(await restore()).toMatchObject({ filesStale: 1, filesChangedWhileRead: 1, failure: null });
    expect(notes.map(({ kind, path: at }) => [kind, at])).toEqual([
      ['changed-while-read', 'log'],
      ['stale', 'old'],
    ]);
  });

  it('is only counted by a dry run', async () => {
    await vault.backUp(device, smallTree);
    const summary = await restore({ isDryRun: true });
    expect(summary).toMatchObject({ isDryRun: true, filesRestored: 5, foldersRestored: 5, linksRestored: 2 });
    expect(summary.bytesRestored).toBe(300_012);
    expect(existsSync(target)).toBe(false);
  });
});

describe('paths of a snapshot', () => {
  it('are restored with the folders above them, and nothing else', async () => {
    await vault.backUp(device, smallTree);
    const summary = await restore({ paths: ['/home/ana/docs/' as ByteString] });
    expect(summary).toMatchObject({ filesRestored: 1, foldersRestored: 4, failure: null });
    expect(readdirSync(path.join(target, 'home'))).toEqual(['ana']);
    expect(readdirSync(path.join(target, 'home/ana'))).toEqual(['docs']);
    expect(read('home/ana/docs/a.txt').toString()).toBe('a');
    expect(lstatSync(path.join(target, 'home/ana'), { bigint: true }).mtimeNs).toBe(FAKE_MTIME_NS);
  });

  it('may lie in each other and be given twice', async () => {
    await vault.backUp(device, smallTree);
    const paths = ['home/ana/docs/a.txt', 'home/ben', '/home/ana/docs', 'home/ben'] as ByteString[];
    expect(await restore({ paths })).toMatchObject({ filesRestored: 2, failure: null });
    expect(progress.at(-1)).toMatchObject({ filesDone: 2, filesTotal: 2, bytesTotal: 2 });
  });

  it('are refused when the snapshot has none such, before anything is made', async () => {
    await vault.backUp(device, smallTree);
    for (const bad of ['home/ana/docs/a', 'home/ana/../ben', 'home/carl'] as ByteString[]) {
      await expect(restore({ paths: ['home' as ByteString, bad] })).rejects.toMatchObject({
        code: 'path_not_found',
      });
    }
    expect(existsSync(target)).toBe(false);
  });

  it('get the content of a hard link whose first name is not among them', async () => {
    const tree = withFolders({
      'a/first': fakeFile('shared content'),
      'b/second': fakeHardLink('a/first'),
      'b/third': fakeHardLink('a/first'),
    });
    await vault.backUp(device, tree);
    expect((await restore({ paths: ['b' as ByteString] })).failure).toBeNull();
    expect(read('b/third').toString()).toBe('shared content');
    expect(statSync(path.join(target, 'b/third')).ino).toBe(statSync(path.join(target, 'b/second')).ino);
    expect(existsSync(path.join(target, 'a'))).toBe(false);
  });
});

/** Keys of the content blobs of the newest snapshot's domain, by what they hold. */
function dataBlobKeys(): string[] {
  // Offset 5 of a blob is its type; 1 is content.
  return keysOfType(1);
}

function keysOfType(type: number): string[] {
  return [...vault.blobs].filter(([, blob]) => blob?.[5] === type).map(([key]) => key);
}

/** As a later version of this program might: offset 4 of a blob is its suite. */
function writeLaterFormat(key: string): void {
  (vault.blobs.get(key) as Buffer)[4] = 2;
}

describe('content that the server lost', () => {
  const tree = withFolders({
    'a-large': fakeFile(random.part('large').bytes(200_000)),
    'b-small': fakeFile('in the chunk behind the large file'),
    'c-large': fakeFile(random.part('other').bytes(500_000)),
    'd-link': fakeHardLink('a-large'),
  });

  const losses: [string, (key: string) => void][] = [
    ['missing', (key) => vault.blobs.delete(key)],
    ['found damaged by the server', (key) => vault.blobs.set(key, null)],
    ['altered in one bit', (key) => void ((vault.blobs.get(key) as Buffer)[200]! ^= 1)],
    ['cut short', (key) => vault.blobs.set(key, (vault.blobs.get(key) as Buffer).subarray(0, -1))],
    ['another blob', (key) => vault.blobs.set(key, vault.blobs.get(dataBlobKeys()[7] as string) as Buffer)],
  ];

  it.each(losses)('(%s) costs the files that need it, and no others', async (_, lose) => {
    await vault.backUp(device, tree);
    lose(dataBlobKeys()[0] as string);
    const summary = await restore();
    expect(summary).toMatchObject({ filesLost: 1, chunksLost: 1, filesRestored: 2 });
    expect(summary.failure).toMatchObject({ code: 'chunk_missing', exitCode: 1 });
    expect(summary.failure?.message).toContain('a-large');
    expect(readdirSync(target)).toEqual(['b-small', 'c-large']);
    expect(read('b-small').toString()).toBe('in the chunk behind the large file');
    expect(read('c-large').equals(tree['c-large']?.content as Buffer)).toBe(true);
    expect(notes).toEqual([{ kind: 'content-lost', path: 'a-large', detail: '' }]);
  });

  it('costs what its key period had, when the key was made by somebody else', async () => {
    const stranger = await vault.addDevice('stranger', false);
    await vault.backUp(device, tree);
    const strange = await vault.backUp(stranger, { x: fakeFile('x') });
    expect(strange.number).toBe(2);
    const [ours, theirs] = [...vault.objects.keys()].filter((key) => key.startsWith('keyring'));
    vault.objects.set(ours as string, vault.objects.get(theirs as string) as Buffer);
    // The catalog is sealed with the same period: nothing can be restored at all.
    await expect(restore()).rejects.toMatchObject({ code: 'untrusted' });
  });

  const rootLosses: [string, (key: string) => unknown][] = [
    ['chunk_missing', (key) => vault.blobs.delete(key)],
    ['damaged', (key) => void ((vault.blobs.get(key) as Buffer)[200]! ^= 1)],
    ['damaged', (key) => void ((vault.blobs.get(key) as Buffer)[0]! ^= 1)],
    ['unknown_format', writeLaterFormat],
  ];

  it.each(rootLosses)(
    '(%s) stops the restore when it is the catalog, and names the node',
    async (code, lose) => {
      await vault.backUp(device, tree);
      const root = keysOfType(2)[0] as string;
      lose(root);
      const error = await restore().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code });
      expect((error as Error).message).toContain(root.split(' ')[1]);
    },
  );

  it('(of a later format) is told apart from content that is gone', async () => {
    await vault.backUp(device, tree);
    writeLaterFormat(dataBlobKeys()[0] as string);
    const summary = await restore();
    expect(summary).toMatchObject({ filesLost: 1, chunksLost: 1, filesRestored: 2 });
    expect(summary.failure).toMatchObject({ code: 'unknown_format', exitCode: 1 });
    expect(summary.failure?.describe('en')).toEqual({
      message: '/a-large was written by a newer version of Cofre (everything else was restored).',
      hint: 'Update this program, then try again.',
    });
    expect(readdirSync(target)).toEqual(['b-small', 'c-large']);
    expect(notes).toEqual([{ kind: 'later-format', path: 'a-large', detail: '' }]);
  });

  it('is what is told when other content is of a later format', async () => {
    await vault.backUp(device, tree);
    writeLaterFormat(dataBlobKeys()[0] as string);
    vault.blobs.delete(dataBlobKeys().at(-1) as string);
    expect((await restore()).failure).toMatchObject({ code: 'chunk_missing' });
    expect(notes.map(({ kind, path: name }) => [kind, name])).toEqual([
      ['later-format', 'a-large'],
      ['content-lost', 'c-large'],
    ]);
  });
});

describe('a large restore in threads', () => {
  const large = random.part('very large').bytes(40 * 1024 * 1024);
  const files: Record<string, ReturnType<typeof fakeFile>> = { 'in/large': fakeFile(large, { mode: 0o604 }) };
  for (let number = 0; number < 500; number++) {
    files[`in/f${number % 20}/${number}`] = fakeFile(`file ${number} `.repeat(number % 50));
  }
  const tree = withFolders(files);

  it('gives the same as a small one, with the large file shared out', async () => {
    await vault.backUp(device, tree);
    const summary = await restore();
    expect(summary).toMatchObject({ failure: null, filesRestored: 501 });
    expect(read('in/large').equals(large)).toBe(true);
    expect(statSync(path.join(target, 'in/large')).mode & 0o7777).toBe(0o604);
    for (let number = 0; number < 500; number++) {
      expect(read(`in/f${number % 20}/${number}`).toString()).toBe(`file ${number} `.repeat(number % 50));
    }
  });

  it('leaves out a large file of which one segment is lost', async () => {
    await vault.backUp(device, tree);
    vault.blobs.delete(dataBlobKeys()[300] as string);
    const summary = await restore();
    expect(summary).toMatchObject({ filesLost: 1, filesRestored: 500 });
    expect(existsSync(path.join(target, 'in/large'))).toBe(false);
  });

  it.each([
    ['a segment', 1, 300],
    ['its list', 3, 0],
  ])('leaves out a large file of which %s is of a later format, and says so', async (_, type, index) => {
    await vault.backUp(device, tree);
    writeLaterFormat(keysOfType(type)[index] as string);
    const summary = await restore();
    expect(summary).toMatchObject({ filesLost: 1, filesRestored: 500, failure: { code: 'unknown_format' } });
    expect(notes.map(({ kind, path: name }) => [kind, name])).toEqual([['later-format', 'in/large']]);
    expect(existsSync(path.join(target, 'in/large'))).toBe(false);
  });

  it('leaves no incomplete file when it is interrupted', async () => {
    await vault.backUp(device, tree);
    const interruption = new AbortController();
    const isDone = restore({}, interruption.signal);
    while (traffic.chunksSent < 100) await new Promise((resolve) => setTimeout(resolve, 2));
    interruption.abort();
    await expect(isDone).rejects.toMatchObject({ code: 'interrupted' });
    for (const found of readdirSync(target, { recursive: true, withFileTypes: true })) {
      if (!found.isFile()) continue;
      const name = path.relative(target, path.join(found.parentPath, found.name));
      expect(read(name).equals(files[name]?.content as Buffer)).toBe(true);
    }
  });
});

test('a file whose content was lost before its snapshot is named, and nothing that looks like it is left', async () => {
  const flags = { placeholder: true, stale: { sinceNs: 1n, reason: 'lost' } };
  const lost = fakeFile('', { size: 10, holes: [{ offset: 0, length: 10 }], flags });
  await vault.backUp(device, withFolders({ 'd/lost': lost, 'd/whole': fakeFile('whole') }));
  for (const isDryRun of [true, false]) {
    notes = [];
    const summary = await restore({ isDryRun });
    expect(summary).toMatchObject({ filesLost: 1, failure: { code: 'chunk_missing' } });
    expect(notes.filter(({ kind }) => kind === 'content-lost')).toMatchObject([{ path: 'd/lost' }]);
  }
  expect(readdirSync(path.join(target, 'd'))).toEqual(['whole']);
});

test('a restore says that its snapshot is partial', async () => {
  await vault.backUp(device, smallTree, { change: (manifest) => ({ ...manifest, isComplete: false }) });
  expect(await restore({ isDryRun: true })).toMatchObject({ isSnapshotComplete: false, failure: null });
});

describe('a hostile catalog', () => {
  it.each(['in/../../escaped', '..', '.', 'a/./b', `a/${'x'.repeat(1100)}`])(
    'with %j is refused',
    async (bad) => {
      await vault.backUp(device, { '': fakeFolder(), [bad]: fakeFile('hostile') });
      await expect(restore()).rejects.toMatchObject({ code: 'damaged' });
      expect(existsSync(path.join(folder, 'escaped'))).toBe(false);
    },
  );

  it.each(['/etc/passwd', '../../etc/passwd', 'home/../../etc/passwd', 'not-there'])(
    'with a hard link to %j makes no link',
    async (first) => {
      await vault.backUp(device, withFolders({ good: fakeFile('good'), stolen: fakeHardLink(first) }));
      const summary = await restore();
      expect(readdirSync(target)).toEqual(['good']);
      expect(summary.failure).not.toBeNull();
    },
  );

  it('with content that does not fit its size leaves the file out', async () => {
    const tree = {
      '': fakeFolder(),
      long: fakeFile('content', { size: 3 }),
      ok: fakeFile('fine'),
      short: fakeFile('content', { size: 2 ** 20 }),
    };
    await vault.backUp(device, tree);
    const summary = await restore();
    expect(readdirSync(target)).toEqual(['ok']);
    expect(summary.filesLost).toBe(2);
  });

  it('with a link in place of a folder writes nothing through it', async () => {
    const outside = path.join(folder, 'outside');
    await vault.backUp(device, {
      '': fakeFolder(),
      door: fakeSymlink(outside),
      'door/written': fakeFile('through the door'),
    });
    await restore();
    expect(existsSync(outside)).toBe(false);
  });
});

describe('who is trusted', () => {
  it('is refused for the kit of another account', async () => {
    await vault.backUp(device, smallTree);
    const other = await FakeVault.create();
    await expect(restore({ kit: other.kit })).rejects.toMatchObject({ code: 'wrong_key', exitCode: 12 });
  });

  it('is refused when the server shows another authority, or a roster that it did not sign', async () => {
    await vault.backUp(device, smallTree);
    const genuine = vault.trust;
    const other = await FakeVault.create();
    await other.addDevice('other');
    vault.trust = other.trust;
    await expect(restore()).rejects.toMatchObject({ code: 'untrusted' });
    vault.trust = { authorityKey: genuine.authorityKey, roster: other.trust.roster };
    await expect(restore()).rejects.toMatchObject({ code: 'untrusted' });
    vault.trust = { ...genuine, roster: null };
    await expect(restore()).rejects.toMatchObject({ code: 'untrusted' });
  });

  it('is refused when the server goes back to an earlier roster', async () => {
    await vault.backUp(device, smallTree);
    const earlier = vault.trust;
    await vault.addDevice('second');
    await restore({ isDryRun: true });
    vault.trust = earlier;
    await expect(restore()).rejects.toMatchObject({ code: 'untrusted' });
  });

  it('is shown but not restored, for the snapshot of a device that nobody vouches for', async () => {
    const stranger = await vault.addDevice('stranger', false);
    const { snapshotId } = await vault.backUp(stranger, { '': fakeFolder(), x: fakeFile('x') });
    await expect(restore({ snapshot: snapshotId })).rejects.toMatchObject({ code: 'untrusted' });
    await expect(restore()).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is refused when the server gives one manifest for another', async () => {
    const first = await vault.backUp(device, smallTree);
    const second = await vault.backUp(device, withFolders({ other: fakeFile('other') }));
    vault.snapshots[1] = { ...second, manifest: first.manifest };
    for (const allowUnconfirmed of [false, true]) {
      await expect(restore({ snapshot: second.snapshotId, allowUnconfirmed })).rejects.toMatchObject({
        code: 'damaged',
      });
    }
  });
});
