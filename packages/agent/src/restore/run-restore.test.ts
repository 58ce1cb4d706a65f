import {
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
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
import { fakeContext } from '../../../../test/builders/fake-server-client.ts';
import { FakeVault, type FakeDevice, type FakeTree } from '../../../../test/builders/fake-vault.ts';
import { SeededRandom } from '../../../../test/builders/seeded-random.ts';
import type { RestoreNote, RestoreOptions, RestoreProgress } from './restore.ts';
import { runRestore } from './run-restore.ts';

let folder: string;
let target: string;
let vault: FakeVault;
let device: FakeDevice;
let notes: RestoreNote[];
let progress: RestoreProgress[];

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cofre-restore-'));
  target = path.join(folder, 'target');
  vault = await FakeVault.create();
  device = await vault.addDevice('laptop');
  notes = [];
  progress = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function restore(options: Partial<RestoreOptions> = {}, signal = new AbortController().signal) {
  const all: RestoreOptions = {
    snapshot: 'latest',
    kit: vault.kit,
    paths: [],
    target,
    isDryRun: false,
    existing: 'refuse',
    owners: 'numbers',
    devices: false,
    setuid: false,
    ...options,
  };
  const observer = {
    onProgress: (step: RestoreProgress) => void progress.push(step),
    onNote: (note: RestoreNote) => void notes.push(note),
  };
  return await runRestore(fakeContext(vault, device, folder), all, observer, signal);
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
});
