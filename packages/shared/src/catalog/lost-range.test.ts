import { describe, expect, it } from 'vitest';
import { MemoryCatalogs } from '../../../../test/builders/memory-catalog.ts';
import { SeededRandom } from '../../../../test/builders/seeded-random.ts';
import type { ByteString } from '../bytes.ts';
import { CofreError } from '../errors.ts';
import type { ChunkId } from '../ids.ts';
import { diffCatalogs } from './catalog-diff.ts';
import { catalogKey, type CatalogKey } from './catalog-key.ts';
import { CatalogReader } from './catalog-reader.ts';
import { shownPathOf, type LostRange } from './lost-range.ts';
import { decodeCatalogNode } from './node.ts';

type Versions = Map<string, { version: number }>;

/** So long are these paths that few of them make a tree of three levels. */
function manyFiles(): Versions {
  const above = `${'a-long-name'.repeat(20)}/`.repeat(4);
  const all: Versions = new Map();
  for (let file = 0; file < 5000; file++) all.set(`${above}folder-${file % 90}/${file}`, { version: file });
  return all;
}

function nodesBelow(catalogs: MemoryCatalogs, root: ChunkId): { leaves: ChunkId[]; inner: ChunkId[] } {
  const found = { leaves: [] as ChunkId[], inner: [] as ChunkId[] };
  const visit = (id: ChunkId): void => {
    const { table, plaintext } = catalogs.nodes.get(id) as { table: ChunkId[]; plaintext: Buffer };
    const node = decodeCatalogNode(table, plaintext);
    (node.kind === 'leaf' ? found.leaves : found.inner).push(id);
    if (node.kind === 'inner') for (const { chunkId } of node.items) visit(chunkId);
  };
  visit(root);
  found.inner.shift();
  return found;
}

function isIn({ from, before }: LostRange, key: CatalogKey): boolean {
  return key >= from && (before === null || key < before);
}

const keysOf = (all: Versions): CatalogKey[] => [...all.keys()].map((path) => catalogKey(path as ByteString));

async function keysOfAll(reader: CatalogReader): Promise<CatalogKey[]> {
  const keys: CatalogKey[] = [];
  for await (const items of reader.batches()) for (const { key } of items) keys.push(key);
  return keys;
}

describe('a catalog that lost nodes', () => {
  const all = manyFiles();
  const inOrder = keysOf(all).sort();

  it.each([
    ['the first leaf', (nodes: ReturnType<typeof nodesBelow>) => [nodes.leaves[0]]],
    ['a leaf', (nodes) => [nodes.leaves[7]]],
    ['the last leaf', (nodes) => [nodes.leaves.at(-1)]],
    ['two leaves side by side and one elsewhere', (nodes) => [2, 3, 40].map((place) => nodes.leaves[place])],
    ['a node above leaves', (nodes) => [nodes.inner[0]]],
    ['all leaves', (nodes) => nodes.leaves],
  ] as [string, (nodes: ReturnType<typeof nodesBelow>) => ChunkId[]][])(
    'without %s gives all other entries, and says exactly where the lost ones were',
    async (_, choose) => {
      const catalogs = new MemoryCatalogs();
      const { root } = catalogs.build(all);
      const nodes = nodesBelow(catalogs, root);
      expect(nodes.inner.length).toBeGreaterThan(0);
      const chosen = choose(nodes);
      for (const id of chosen) catalogs.nodes.delete(id);
      const lost: LostRange[] = [];
      const given = await keysOfAll(catalogs.reader(root, (range) => lost.push(range)));
      expect(lost.map(({ nodeId }) => nodeId)).toEqual(chosen);
      expect(lost.every(({ error }) => error.code === 'chunk_missing')).toBe(true);
      const missing = inOrder.filter((key) => lost.some((range) => isIn(range, key)));
      expect(given).toEqual(inOrder.filter((key) => !lost.some((range) => isIn(range, key))));
      expect(missing.length).toBe(lost.reduce((sum, { entryCount }) => sum + entryCount, 0));
      for (const { from, before } of lost) {
        expect(inOrder).toContain(from);
        expect(before === null || inOrder.includes(before)).toBe(true);
      }
      await expect(keysOfAll(catalogs.reader(root))).rejects.toMatchObject({ code: 'chunk_missing' });
    },
  );

  it('tells of a loss before what stands behind it, and only where it reads', async () => {
    const catalogs = new MemoryCatalogs();
    const { root } = catalogs.build(all);
    catalogs.nodes.delete(nodesBelow(catalogs, root).leaves[5] as ChunkId);
    let lost: LostRange | null = null;
    const reader = catalogs.reader(root, (range) => (lost = range));
    for await (const { key } of reader.all()) {
      const told: LostRange | null = lost;
      if (told === null) continue;
      expect(key).toBe((told as LostRange).before);
      break;
    }
    const { from } = lost as unknown as LostRange;
    lost = null;
    expect(await reader.find('absent' as ByteString)).toBeNull();
    expect(lost).toBeNull();
    expect(await reader.find(shownPathOf(from))).toBeNull();
    expect(lost).toMatchObject({ from });
  });

  it('takes a node that does not belong where it stands for lost, and goes on behind it', async () => {
    const catalogs = new MemoryCatalogs();
    const { root } = catalogs.build(all);
    const { leaves } = nodesBelow(catalogs, root);
    const [third, other] = [leaves[3], leaves[9]] as [ChunkId, ChunkId];
    catalogs.nodes.set(third, catalogs.nodes.get(other) as never);
    const lost: LostRange[] = [];
    const given = await keysOfAll(catalogs.reader(root, (range) => lost.push(range)));
    expect(lost).toMatchObject([{ nodeId: third, error: { code: 'damaged' } }]);
    expect(given).toEqual(inOrder.filter((key) => !isIn(lost[0] as LostRange, key)));
  });

  it('is none without its root', async () => {
    const catalogs = new MemoryCatalogs();
    const { root } = catalogs.build(all);
    catalogs.nodes.delete(root);
    const reader = catalogs.reader(root, () => expect.unreachable());
    await expect(reader.checkRoot()).rejects.toMatchObject({ code: 'chunk_missing' });
    await expect(keysOfAll(reader)).rejects.toMatchObject({ code: 'chunk_missing' });
  });

  it('is not said to have lost anything when the server is away', async () => {
    const catalogs = new MemoryCatalogs();
    const { root } = catalogs.build(all);
    const away = new CofreError('server_unreachable', { address: 'there', problem: 'away' });
    const fetch = async (ids: readonly ChunkId[]) => {
      if (!ids.includes(root)) throw away;
      return ids.map((id) => catalogs.nodes.get(id) as never);
    };
    const reader = new CatalogReader(root, fetch, () => expect.unreachable());
    await expect(keysOfAll(reader)).rejects.toBe(away);
  });
});

describe('the difference of two catalogs that lost nodes', () => {
  it.each([1, 2, 3, 4, 5, 6])('is told for all other entries (seed %i)', async (seed) => {
    const random = new SeededRandom(seed);
    const catalogs = new MemoryCatalogs();
    const before = manyFiles();
    const after = new Map(before);
    for (const path of before.keys()) {
      const dice = random.below(100);
      if (dice === 0) after.delete(path);
      else if (dice === 1) after.set(path, { version: -1 });
      else if (dice === 2) after.set(`${path}-new`, { version: 0 });
    }
    const roots = [catalogs.build(before).root, catalogs.build(after).root] as const;
    const losses = new Set<ChunkId>();
    for (const root of roots) {
      const { leaves, inner } = nodesBelow(catalogs, root);
      for (const id of leaves) if (random.chance(1 / 12)) losses.add(id);
      if (random.chance(0.5)) losses.add(random.pick(inner));
    }
    for (const id of losses) catalogs.nodes.delete(id);
    const lost: LostRange[] = [];
    const readers = roots.map((root) => catalogs.reader(root, (range) => lost.push(range)));
    const found: string[] = [];
    for await (const { before: a, after: b } of diffCatalogs(
      ...(readers as [CatalogReader, CatalogReader]),
    )) {
      const kind = a === null ? 'added' : b === null ? 'removed' : 'changed';
      found.push(`${kind} ${b?.path ?? a?.path ?? ''}`);
    }
    expect(lost.length).toBeGreaterThan(3);
    const expected: string[] = [];
    for (const path of new Set([...before.keys(), ...after.keys()])) {
      const [a, b] = [before.get(path)?.version, after.get(path)?.version];
      const key = catalogKey(path as ByteString);
      if (a === b || lost.some((range) => isIn(range, key))) continue;
      expected.push(`${a === undefined ? 'added' : b === undefined ? 'removed' : 'changed'} ${path}`);
    }
    expect(expected.length).toBeGreaterThan(10);
    expect(found.sort()).toEqual(expected.sort());
  });
});

describe('the path that is shown of a key', () => {
  it.each([
    ['home\0ana\0\0photo', 'home/ana/photo'],
    ['', ''],
    ['a\0\0..', 'a/..'],
    ['no key', 'no key'],
  ])('of %j is %j', (key, shown) => expect(shownPathOf(key as CatalogKey)).toBe(shown));
});
