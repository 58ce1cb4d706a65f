import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ByteString } from '@cofre/shared/bytes';
import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import { placesBelow, rootPlace, type NodePlace } from '@cofre/shared/catalog/catalog-reader';
import { shownPathOf, type LostRange } from '@cofre/shared/catalog/lost-range';
import {
  fakeFifo,
  fakeFile,
  fakeFolder,
  fakeHardLink,
  withFolders,
} from '../../../../test/builders/fake-entries.ts';
import { fakeContext } from '../../../../test/builders/fake-server-client.ts';
import {
  FakeVault,
  type FakeDevice,
  type FakeEntry,
  type FakeTree,
} from '../../../../test/builders/fake-vault.ts';
import { restoreOptions } from '../../../../test/builders/run-options.ts';
import { VaultReader } from '../vault-reader/vault-reader.ts';
import type { RestoreNote, RestoreOptions } from './restore.ts';
import { runRestore } from './run-restore.ts';

let folder: string;
let target: string;
let vault: FakeVault;
let device: FakeDevice;
let notes: RestoreNote[];
let lost: LostRange[];

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cofre-lost-'));
  target = path.join(folder, 'target');
  vault = await FakeVault.create();
  device = await vault.addDevice('laptop');
  notes = [];
  lost = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const context = () => fakeContext(vault, device, folder);

async function restore(options: Partial<RestoreOptions> = {}) {
  const all = restoreOptions(vault.kit, target, options);
  const observer = {
    onProgress: () => {},
    onNote: (note: RestoreNote) => void notes.push(note),
    onLost: (range: LostRange) => void lost.push(range),
  };
  return await runRestore(context(), all, observer, new AbortController().signal);
}

/** The nodes of the newest catalog, each with its key in `vault.blobs`: the root first, then in the order of the tree. */
async function nodesOfCatalog(): Promise<{ kind: 'inner' | 'leaf'; blob: string; first: string }[]> {
  const reader = await VaultReader.open(context(), vault.kit);
  const catalog = await reader.catalog(await reader.resolve({ snapshot: 'latest' }));
  const nodes: Awaited<ReturnType<typeof nodesOfCatalog>> = [];
  const visit = async (place: NodePlace): Promise<void> => {
    const node = await catalog.node(place);
    const blob = `${device.domain.domainId} ${place.chunkId}`;
    nodes.push({ kind: node.kind, blob, first: place.firstKey ?? '' });
    if (node.kind === 'inner') for (const below of placesBelow(node.items, place)) await visit(below);
  };
  await visit(rootPlace(catalog.root));
  return nodes;
}

/** The leaf that has a path. */
async function leafOf(at: string): Promise<string> {
  const leaves = (await nodesOfCatalog()).filter(({ kind }) => kind === 'leaf');
  return leaves.findLast(({ first }) => first <= catalogKey(at as ByteString))?.blob as string;
}

/** So long that some dozens fill a leaf. */
const long = (name: string): string => name.padEnd(230, '-');

/**
 * Many files side by side; between them a folder, of which all content stands in leaves further behind: more lies in
 * between than any leaf takes, wherever the domain's key has them cut.
 */
const many: Record<string, FakeEntry> = {};
for (let number = 100; number < 600; number++) many[long(`f${number}`)] = fakeFile(`content ${number}`);
for (let number = 100; number < 300; number++)
  many[`f250/in/${long(String(number))}`] = fakeFile(`in ${number}`);
const tree = withFolders({ ...many, f250: fakeFolder({ mode: 0o750 }) });

/** Files of a tree that are not among what was told to be lost. */
function remaining(all: FakeTree): [string, FakeEntry][] {
  return Object.entries(all).filter(([at]) => {
    const key = catalogKey(at as ByteString);
    return !lost.some(({ from, before }) => key >= from && (before === null || key < before));
  });
}

function expectRemainingRestored(all: FakeTree): void {
  const left = remaining(all);
  const isRestored = ([at, { content }]: [string, FakeEntry]): boolean => {
    const restored = path.join(target, at);
    return content === undefined ? existsSync(restored) : readFileSync(restored).equals(content);
  };
  expect(left.filter((one) => !isRestored(one))).toEqual([]);
  const files = left.filter(([, { content }]) => content !== undefined);
  const found = readdirSync(target, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  expect(found).toHaveLength(files.length);
}

const losses: [string, string, (key: string) => void][] = [
  ['missing', 'entries_lost', (key) => vault.blobs.delete(key)],
  ['found damaged by the server', 'entries_lost', (key) => vault.blobs.set(key, null)],
  ['altered in one bit', 'entries_lost', (key) => void ((vault.blobs.get(key) as Buffer)[200]! ^= 1)],
  ['of a later format', 'unknown_format', (key) => void ((vault.blobs.get(key) as Buffer)[4] = 2)],
];

describe('a node of the catalog', () => {
  it.each(losses)('that is %s costs its entries, and no others', async (_, code, lose) => {
    await vault.backUp(device, tree);
    lose(await leafOf('f250'));
    const summary = await restore();
    const [range, ...others] = lost as [LostRange, ...LostRange[]];
    expect(others).toEqual([]);
    const count = Object.keys(tree).length - remaining(tree).length;
    expect(count).toBeGreaterThan(10);
    expect(range.entryCount).toBe(count);
    expect(summary).toMatchObject({ entriesLost: count, failure: { code, exitCode: 1 }, filesLost: 0 });
    expect(summary.failure?.message).toContain(`/${shownPathOf(range.from)}`);
    expectRemainingRestored(tree);
    expect(notes).toEqual([{ kind: 'folder-unknown', path: 'f250', detail: '' }]);
    expect(statSync(path.join(target, 'f250')).mode & 0o7777).toBe(0o700);
  });

  it('that is the root ends the restore before anything is made', async () => {
    await vault.backUp(device, tree);
    vault.blobs.delete((await nodesOfCatalog())[0]?.blob as string);
    await expect(restore()).rejects.toMatchObject({ code: 'chunk_missing' });
    expect([lost, existsSync(target)]).toEqual([[], false]);
  });

  it('costs what a dry run counts as well', async () => {
    await vault.backUp(device, tree);
    vault.blobs.delete(await leafOf('f250'));
    const summary = await restore({ isDryRun: true });
    expect(lost).toHaveLength(1);
    const files = remaining(tree).filter(([, { entry }]) => entry.type === 'file');
    expect(summary).toMatchObject({ filesRestored: files.length, failure: { code: 'entries_lost' } });
  });

  it('may be lost together with all others but the root', async () => {
    await vault.backUp(device, tree);
    const [, ...below] = await nodesOfCatalog();
    for (const { blob } of below) vault.blobs.delete(blob);
    const summary = await restore();
    expect(summary).toMatchObject({ filesRestored: 0, entriesLost: Object.keys(tree).length });
    expect(lost).toHaveLength(below.length);
    expect(readdirSync(target)).toEqual([]);
  });
});

describe('a folder of which the entry is lost', () => {
  beforeEach(async () => {
    await vault.backUp(device, tree);
    vault.blobs.delete(await leafOf('f250'));
  });

  it('can be asked for: what lies in it comes back', async () => {
    const summary = await restore({ paths: ['/f250' as ByteString] });
    expect(readdirSync(target)).toEqual(['f250']);
    expect(readdirSync(path.join(target, 'f250/in'))).toHaveLength(200);
    expect(summary).toMatchObject({ filesRestored: 200, failure: { code: 'entries_lost' } });
    expect(lost).toHaveLength(1);
  });

  it('is made for a file in it that is asked for', async () => {
    const wanted = `f250/in/${long('150')}`;
    await restore({ paths: [wanted as ByteString] });
    expect(readFileSync(path.join(target, wanted), 'utf8')).toBe('in 150');
  });

  it('is joined where it is there', async () => {
    await restore();
    const again = await restore({ existing: 'replace' });
    expect(again).toMatchObject({ failure: { code: 'entries_lost' }, problems: {} });
  });

  it('is told apart from a path that the snapshot never had', async () => {
    await restore({ isDryRun: true });
    // Not where the range begins: with some keys that is the beginning of the catalog, and so all of it.
    const left = new Set(remaining(tree).map(([at]) => at));
    const beside = Object.keys(tree).find((at) => !left.has(at) && tree[at]?.entry.type === 'file');
    await expect(restore({ paths: ['zz' as ByteString] })).rejects.toMatchObject({ code: 'path_not_found' });
    const summary = await restore({ paths: [beside as ByteString] });
    expect(summary).toMatchObject({ filesRestored: 0, failure: { code: 'entries_lost' } });
  });
});

describe('a further name of an object whose first name is lost', () => {
  const first = (name: string): string => `f250-${name}`;
  const linkTo = ({ entry }: FakeEntry, to: string): FakeEntry => {
    return { entry: { ...entry, hardLinkTo: to as ByteString } };
  };
  const linked = withFolders({
    ...tree,
    [first('empty')]: fakeFile(''),
    [first('full')]: fakeFile('only here'),
    [first('pipe')]: fakeFifo(),
    'z/empty-1': linkTo(fakeFile(''), first('empty')),
    'z/empty-2': linkTo(fakeFile(''), first('empty')),
    'z/full': linkTo(fakeFile('only here'), first('full')),
    'z/pipe': linkTo(fakeFifo(), first('pipe')),
    'z/whole': fakeHardLink(`f250/in/${long('299')}`),
  });

  it.each([[[]], [['z' as ByteString]]])('comes back unless it needs content (paths: %j)', async (paths) => {
    await vault.backUp(device, linked);
    const leaves = new Set<string>();
    for (const name of ['empty', 'full', 'pipe']) leaves.add(await leafOf(first(name)));
    for (const leaf of leaves) vault.blobs.delete(leaf);
    const summary = await restore({ paths });
    expect(lost).toHaveLength(leaves.size);
    expect(readdirSync(path.join(target, 'z')).sort()).toEqual(['empty-1', 'empty-2', 'pipe', 'whole']);
    expect(statSync(path.join(target, 'z/empty-1')).ino).toBe(statSync(path.join(target, 'z/empty-2')).ino);
    expect(statSync(path.join(target, 'z/empty-1')).size).toBe(0);
    expect(lstatSync(path.join(target, 'z/pipe')).isFIFO()).toBe(true);
    expect(readFileSync(path.join(target, 'z/whole'), 'utf8')).toBe('in 299');
    expect(notes.filter(({ kind }) => kind === 'content-lost')).toEqual([
      { kind: 'content-lost', path: 'z/full', detail: 'its first name is lost' },
    ]);
    expect(summary).toMatchObject({ filesLost: 1, failure: { code: 'entries_lost' } });
  });
});
