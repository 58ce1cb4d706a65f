import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ByteString } from '@cofre/shared/bytes';
import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import { placesBelow, rootPlace, type CatalogItem } from '@cofre/shared/catalog/catalog-reader';
import type { LostRange } from '@cofre/shared/catalog/lost-range';
import type { InnerItem } from '@cofre/shared/catalog/node';
import {
  FAKE_MTIME_NS,
  fakeFile,
  fakeFolder,
  fakeSymlink,
  withFolders,
} from '../../../../test/builders/fake-entries.ts';
import { fakeContext } from '../../../../test/builders/fake-server-client.ts';
import { FakeVault, type FakeDevice, type FakeTree } from '../../../../test/builders/fake-vault.ts';
import { LostEntries } from '../vault-reader/lost-entries.ts';
import { VaultReader } from '../vault-reader/vault-reader.ts';
import { diffSnapshots } from './diff-snapshots.ts';
import { findEntries } from './find-entries.ts';
import { listFolder } from './list-folder.ts';

let folder: string;
let vault: FakeVault;
let device: FakeDevice;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cofre-browse-'));
  vault = await FakeVault.create();
  device = await vault.addDevice('laptop');
});

afterEach(() => rmSync(folder, { recursive: true }));

const open = async () => await VaultReader.open(fakeContext(vault, device, folder), vault.kit);

async function catalogOf(tree: FakeTree) {
  await vault.backUp(device, tree);
  const reader = await open();
  return await reader.catalog(await reader.resolve({ snapshot: 'latest' }));
}

/** Loses the leaf that has a path of the newest snapshot. */
async function loseLeafOf(at: string): Promise<void> {
  const reader = await open();
  const catalog = await reader.catalog(await reader.resolve({ snapshot: 'latest' }));
  const root = await catalog.node(rootPlace(catalog.root));
  const leaves = placesBelow(root.items as InnerItem[], rootPlace(catalog.root));
  const key = catalogKey(at as ByteString);
  const place = leaves.findLast(({ firstKey }) => (firstKey ?? '') <= key);
  vault.blobs.delete(`${device.domain.domainId} ${place?.chunkId}`);
}

async function paths(items: AsyncIterable<CatalogItem>): Promise<string[]> {
  const found: string[] = [];
  for await (const item of items) found.push(item.path);
  return found;
}

const tree = withFolders({
  'home/ana/photo.jpg': fakeFile('photo'),
  'home/ana/\xff\x01\n': fakeFile('a name that is no text'),
  'home/ana/old/photo.png': fakeFile('photo'),
  'home/photo.jpg/inside': fakeFile('in a folder that is named like a file'),
  '!odd': fakeFile('x'),
});

describe('a folder of a snapshot', () => {
  it('is listed alone, or with everything below', async () => {
    const catalog = await catalogOf(tree);
    const list = async (at: string, isRecursive: boolean) =>
      await paths(listFolder(catalog, at as ByteString, { isRecursive }));
    expect(await list('/home/ana/', false)).toEqual([
      'home/ana/old',
      'home/ana/photo.jpg',
      'home/ana/\xff\x01\n',
    ]);
    expect(await list('home', true)).toHaveLength(7);
    expect(await list('', false)).toEqual(['!odd', 'home']);
    expect(await list('/', true)).toHaveLength(Object.keys(tree).length - 1);
    expect(await list('home/ana/photo.jpg', true)).toEqual(['home/ana/photo.jpg']);
  });

  it('is refused when it is not there', async () => {
    const catalog = await catalogOf(tree);
    for (const at of ['home/an', 'home/ana/photo.jpg/x', '../home'] as ByteString[]) {
      await expect(paths(listFolder(catalog, at, { isRecursive: false }))).rejects.toMatchObject({
        code: 'path_not_found',
      });
    }
  });
});

describe('a pattern', () => {
  it.each([
    ['photo.*', ['home/photo.jpg', 'home/ana/photo.jpg', 'home/ana/old/photo.png']],
    ['photo.jpg/', ['home/photo.jpg']],
    ['/home/*/photo.jpg', ['home/ana/photo.jpg']],
    ['/home/**/photo.png', ['home/ana/old/photo.png']],
    ['\xff*', ['home/ana/\xff\x01\n']],
    ['!odd', ['!odd']],
    ['photo', []],
  ])('%j finds %j', async (pattern, found) => {
    expect(await paths(findEntries(await catalogOf(tree), pattern as ByteString))).toEqual(found);
  });

  it('that could never match is refused', async () => {
    const catalog = await catalogOf(tree);
    await expect(paths(findEntries(catalog, 'a/../b' as ByteString))).rejects.toMatchObject({
      code: 'usage',
    });
  });
});

describe('the difference of two snapshots', () => {
  const before = withFolders({
    'd/same': fakeFile('same'),
    'd/touched': fakeFile('touched'),
    'd/read': fakeFile('read', { atimeNs: 1n }),
    'd/grown': fakeFile('grow'),
    'd/link': fakeSymlink('there'),
    'd/turned': fakeFile('a file'),
    'd/gone': fakeFile('gone'),
    'd/punched': fakeFile('', { size: 10, holes: [{ offset: 0, length: 10 }] }),
  });
  const after = withFolders({
    'd/same': fakeFile('same'),
    'd/touched': fakeFile('touched', { mode: 0o600, mtimeNs: FAKE_MTIME_NS + 1n }),
    'd/read': fakeFile('read', { atimeNs: 2n }),
    'd/grown': fakeFile('grown', { mtimeNs: FAKE_MTIME_NS + 1n }),
    'd/link': fakeSymlink('elsewhere'),
    'd/turned': fakeFolder(),
    'd/turned/new': fakeFile('new'),
    'd/punched': fakeFile('', { size: 20, holes: [{ offset: 0, length: 20 }] }),
  });

  async function differences(earlier: string, later: string): Promise<string[]> {
    const reader = await open();
    const [a, b] = [await reader.resolve({ snapshot: earlier }), await reader.resolve({ snapshot: later })];
    const found: string[] = [];
    for await (const one of diffSnapshots(reader, a, b)) {
      found.push([one.kind, one.path, ...(one.kind === 'changed' ? one.changes : [])].join(' '));
    }
    return found;
  }

  it('names what was added, removed and changed, and how', async () => {
    const [first, second] = [await vault.backUp(device, before), await vault.backUp(device, after)];
    const found = await differences(first.snapshotId, second.snapshotId);
    expect(found).toContain('removed d/gone');
    expect(found).toContain('added d/turned/new');
    expect(found).toContain('changed d/turned type');
    expect(found).toContain('changed d/link content');
    expect(found).toContain('changed d/punched content');
    expect(found).toContain('changed d/grown content metadata');
    expect(found.some((line) => line.includes('d/punched metadata'))).toBe(false);
  });

  it('is nothing between two equal ones', async () => {
    const [first, second] = [await vault.backUp(device, before), await vault.backUp(device, before)];
    expect(await differences(first.snapshotId, second.snapshotId)).toEqual([]);
  });

  it('between computers goes by size and time', async () => {
    const other = await vault.addDevice('other');
    const [first, second] = [await vault.backUp(device, before), await vault.backUp(other, after)];
    expect(await differences(first.snapshotId, second.snapshotId)).toEqual([
      'removed d/gone',
      'changed d/grown content metadata',
      'changed d/link content',
      'changed d/punched content',
      'changed d/touched content metadata',
      'changed d/turned type',
      'added d/turned/new',
    ]);
  });
});

describe('a catalog that has lost a leaf', () => {
  /** Content of the folder stands further behind it than any leaf reaches. */
  const many: Record<string, ReturnType<typeof fakeFile>> = {};
  for (let number = 100; number < 600; number++) many[`f${number}`.padEnd(230, '-')] = fakeFile('');
  const large = withFolders({ ...many, f250: fakeFolder(), 'f250/inside': fakeFile('') });

  async function openWithLosses() {
    const told: LostRange[] = [];
    const lost = new LostEntries((range) => told.push(range));
    const reader = await open();
    const catalog = await reader.catalog(await reader.resolve({ snapshot: 'latest' }), lost.note);
    return { reader, catalog, lost, told };
  }

  it('lists and finds all other entries, and tells of the loss once', async () => {
    await vault.backUp(device, large);
    await loseLeafOf('f250');
    const { catalog, lost, told } = await openWithLosses();
    const listed = await paths(listFolder(catalog, '/' as ByteString, { isRecursive: true, lost }));
    expect(told).toHaveLength(1);
    const isThere = (at: string): boolean => at !== '' && !lost.has(catalogKey(at as ByteString));
    expect(listed.toSorted()).toEqual(Object.keys(large).filter(isThere).sort());
    expect(listed).toContain('f250/inside');
    expect(lost.failure()).toMatchObject({ code: 'entries_lost', exitCode: 1 });
    expect(await paths(findEntries(catalog, 'inside' as ByteString))).toEqual(['f250/inside']);
    expect(told).toHaveLength(1);
  });

  it('lists what lies in a folder whose own entry is lost, and refuses what was never there', async () => {
    await vault.backUp(device, large);
    await loseLeafOf('f250');
    const { catalog, lost } = await openWithLosses();
    const list = async (at: string) =>
      await paths(listFolder(catalog, at as ByteString, { isRecursive: false, lost }));
    expect(await list('/f250')).toEqual(['f250/inside']);
    await expect(list('/zz')).rejects.toMatchObject({ code: 'path_not_found' });
  });

  it('differs in what is known of both sides', async () => {
    const before = await vault.backUp(device, large);
    const { 'f250/inside': _, ...rest } = large;
    const after = await vault.backUp(device, {
      ...rest,
      f250: fakeFolder({ mode: 0o700 }),
      z: fakeFile('z'),
    });
    await loseLeafOf('f250');
    const { reader, lost } = await openWithLosses();
    const [left, right] = await Promise.all(
      [before, after].map(async ({ snapshotId }) => await reader.resolve({ snapshot: snapshotId })),
    );
    const found: string[] = [];
    for await (const { kind, path: at } of diffSnapshots(reader, left as never, right as never, lost.note)) {
      found.push(`${kind} ${at}`);
    }
    expect(lost.isEmpty).toBe(false);
    expect(found).toEqual(['added z', 'removed f250/inside']);
  });
});
