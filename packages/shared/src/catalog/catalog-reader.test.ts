import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryCatalogs } from '../../../../test/builders/memory-catalog.ts';
import type { ByteString } from '../bytes.ts';
import type { Slice } from '../format/entry.ts';
import type { ChunkId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { catalogKey, type CatalogKey } from './catalog-key.ts';
import type { CatalogItem, CatalogReader } from './catalog-reader.ts';
import { encodeInner, encodeLeaf, encodeList, type ContentReference } from './node.ts';

const name = fc
  .array(fc.constantFrom('a', 'b', '.', '\x01', '\xff'), { minLength: 1, maxLength: 3 })
  .map((letters) => letters.join(''))
  .filter((text) => text !== '.' && text !== '..');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((components) => components.join('/'));

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function paths(items: AsyncIterable<CatalogItem>): Promise<string[]> {
  return (await collect(items)).map((item) => item.path);
}

function inCatalogOrder(all: readonly string[]): string[] {
  return [...all].sort((a, b) => (catalogKey(a as ByteString) < catalogKey(b as ByteString) ? -1 : 1));
}

/** Enough paths for a tree of several levels. */
function manyPaths(): string[] {
  const all: string[] = [];
  for (let folder = 0; folder < 60; folder++) {
    all.push(`folder-${folder}`);
    for (let file = 0; file < 120; file++) all.push(`folder-${folder}/a-file-with-some-name-${file}`);
  }
  return all;
}

function catalogOf(catalogs: MemoryCatalogs, all: readonly string[]): CatalogReader {
  return catalogs.build(new Map(all.map((one, index) => [one, { version: index }])));
}

describe('a catalog that was built', () => {
  it('gives everything in catalog order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(path, { maxLength: 60 }), async (all) => {
        const reader = catalogOf(new MemoryCatalogs(), all);
        expect(await paths(reader.all())).toEqual(inCatalogOrder(all));
      }),
    );
  });

  it('gives what lies directly in a folder, and at whatever depth', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(path, { maxLength: 60 }), path, async (all, folder) => {
        const reader = catalogOf(new MemoryCatalogs(), all);
        const inside = all.filter((one) => one.startsWith(`${folder}/`));
        const direct = inside.filter((one) => !one.slice(folder.length + 1).includes('/'));
        expect(await paths(reader.subtree(folder as ByteString))).toEqual(inCatalogOrder(inside));
        expect(await paths(reader.children(folder as ByteString))).toEqual(inCatalogOrder(direct));
      }),
    );
  });

  it('finds each path and no other in a tree of several levels', async () => {
    const catalogs = new MemoryCatalogs();
    const all = manyPaths();
    const reader = catalogOf(catalogs, all);
    expect(catalogs.nodes.size).toBeGreaterThan(10);
    for (const [index, one] of all.entries()) {
      if (index % 97 !== 0) continue;
      expect((await reader.find(one as ByteString))?.entry.mtimeNs).toBe(BigInt(index));
    }
    expect(await reader.find('folder-1/absent' as ByteString)).toBeNull();
    expect(await paths(reader.all())).toEqual(inCatalogOrder(all));
  });

  it('fetches one way down for one path', async () => {
    const catalogs = new MemoryCatalogs();
    const reader = catalogOf(catalogs, manyPaths());
    catalogs.fetched.length = 0;
    await reader.find('folder-30/a-file-with-some-name-60' as ByteString);
    expect(catalogs.fetched.length).toBeLessThanOrEqual(3);
  });

  it('gives long content lists through their list nodes', async () => {
    const slices: Slice[] = Array.from({ length: 9000 }, (_, index) => ({
      chunkId: index.toString(16).padStart(8, '0').repeat(8) as ChunkId,
      offset: 0,
      length: index + 1,
    }));
    const reader = new MemoryCatalogs().build(new Map([['long', { version: 1, content: slices }]]));
    const item = await reader.find('long' as ByteString);
    expect(item?.content.kind).toBe('list');
    expect(await collect(reader.slices((item as CatalogItem).content))).toEqual(slices);
  });
});

describe('a hostile catalog', () => {
  const catalogs = new MemoryCatalogs();
  const key = (text: string) => text as CatalogKey;
  const leaf = (...keys: string[]): ChunkId => {
    const metadata = Buffer.from('not looked at here');
    const content: ContentReference = { kind: 'slices', slices: [] };
    return catalogs.put(
      encodeLeaf(keys.map((one) => ({ key: key(one), metadata, content, namedStreams: [] }))),
    );
  };
  const inner = (...children: [string, ChunkId][]): ChunkId =>
    catalogs.put(
      encodeInner(children.map(([first, chunkId]) => ({ firstKey: key(first), chunkId, entryCount: 1 }))),
    );
  const readAll = async (root: ChunkId) => await collect(catalogs.reader(root).range(key('\xff'), null));
  const damaged = expect.objectContaining({ code: 'damaged' });

  it('is refused when one subtree stands in two places', async () => {
    const child = leaf('\0b', '\0c');
    await expect(readAll(inner(['\0b', child], ['\0\xff', child]))).rejects.toEqual(damaged);
  });

  it('is refused when a node reaches into the next one', async () => {
    const root = inner(['\0b', leaf('\0b', '\0\xff\xff')], ['\0\xff', leaf('\0\xff')]);
    await expect(collect(catalogs.reader(root).range(key('\0b'), null))).rejects.toEqual(damaged);
  });

  it('is refused when it is deeper than any real one', async () => {
    let root = leaf('\xff');
    for (let depth = 0; depth <= LIMITS.catalogDepthMax; depth++) root = inner(['\xff', root]);
    await expect(readAll(root)).rejects.toEqual(damaged);
  });

  it.each(['', '.', '..', 'a/b', 'a\0\0', 'a'.repeat(2000)])('is refused for the name %j', async (bad) => {
    const root = leaf(`\0${bad}`);
    await expect(collect(catalogs.reader(root).all())).rejects.toEqual(damaged);
  });

  it('is refused when lists of content do not hold what they promise', async () => {
    const chunkId = 'ab'.repeat(32) as ChunkId;
    const reader = catalogs.reader(chunkId);
    const content = (list: ChunkId, level: number, length: number): ContentReference => {
      return { kind: 'list', list: { chunkId: list, level, length } };
    };
    const list = (level: number, slices: Slice[]) => catalogs.put(encodeList({ level, slices }));
    const ten = list(0, [{ chunkId, offset: 0, length: 10 }]);
    const none = list(0, [{ chunkId, offset: 0, length: 0 }]);
    const repeated = { chunkId: ten, offset: 0, length: 10 };
    const bad = [
      content(ten, 0, 11),
      content(ten, 1, 10),
      content(none, 0, 0),
      content(list(1, [repeated, repeated]), 1, 10),
      content(list(1, [{ ...repeated, length: 20 }]), 1, 20),
    ];
    for (const one of bad) await expect(collect(reader.slices(one))).rejects.toEqual(damaged);
    expect(await collect(reader.slices(content(list(1, [repeated, repeated]), 1, 20)))).toHaveLength(2);
  });
});
