import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleChunkId, sampleSlices } from '../../../../test/builders/format-samples.ts';
import { MemoryCatalogs } from '../../../../test/builders/memory-catalog.ts';
import { SeededRandom } from '../../../../test/builders/seeded-random.ts';
import type { ByteString } from '../bytes.ts';
import type { NamedStream } from '../format/entry.ts';
import type { ChunkId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { CatalogBuilder, type CatalogEntry } from './catalog-builder.ts';
import { catalogKey, type CatalogKey } from './catalog-key.ts';
import { encodeEntryMetadata } from './entry-codec.ts';
import { decodeCatalogNode } from './node.ts';

const CUT_KEY = Buffer.alloc(8, 5);

interface Built {
  readonly root: ChunkId;
  readonly catalogs: MemoryCatalogs;
}

function build(entries: readonly CatalogEntry[], catalogs = new MemoryCatalogs(), cutKey = CUT_KEY): Built {
  const builder = new CatalogBuilder(cutKey, (_, node) => catalogs.put(node));
  for (const entry of entries) builder.add(entry);
  return { root: builder.finish(), catalogs };
}

function fileEntry(path: string, version = 0, extra: Partial<CatalogEntry> = {}): CatalogEntry {
  const metadata = encodeEntryMetadata({
    type: 'file',
    mode: 0o644,
    uid: 1000,
    gid: 1000,
    mtimeNs: BigInt(version),
    size: 1,
  });
  return { key: catalogKey(path as ByteString), metadata, content: [], ...extra };
}

function inOrder(entries: readonly CatalogEntry[]): CatalogEntry[] {
  return [...entries].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** A tree as people have them: many folders, names of some length, a slice for each file. */
function manyEntries(count: number): CatalogEntry[] {
  const random = new SeededRandom(`catalog of ${count}`);
  const entries = Array.from({ length: count }, (_, index) => {
    const path = `home/user/folder-${index % 300}/${random.pick(['report', 'image', 'x'])}-${index}.txt`;
    const content = [{ chunkId: sampleChunkId(index >> 4), offset: (index & 15) * 1000, length: 1000 }];
    return fileEntry(path, index, { content });
  });
  return inOrder(entries);
}

async function keysOf({ root, catalogs }: Built): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of catalogs.reader(root).all()) keys.push(key);
  return keys;
}

it('has the root of what was added so far at any time, and goes on as if nobody had asked', () => {
  const entries = manyEntries(3000);
  const catalogs = new MemoryCatalogs();
  const builder = new CatalogBuilder(CUT_KEY, (_, node) => catalogs.put(node));
  for (let start = 0; start < entries.length; start += 400) {
    const root = builder.rootSoFar((_, node) => catalogs.put(node));
    expect(root).toBe(build(entries.slice(0, start)).root);
    for (const entry of entries.slice(start, start + 400)) builder.add(entry);
  }
  expect(builder.finish()).toBe(build(entries).root);
});

/** Levels below the root, and the sizes of leaves. */
function shapeOf({ root, catalogs }: Built): { depth: number; leafBytes: number[]; entries: number } {
  const leafBytes: number[] = [];
  let deepest = 0;
  let entries = 0;
  const walk = (id: ChunkId, depth: number): void => {
    const opened = catalogs.nodes.get(id);
    if (opened === undefined) throw new Error(`no node ${id}`);
    const node = decodeCatalogNode(opened.table, opened.plaintext);
    deepest = Math.max(deepest, depth);
    if (node.kind === 'inner') {
      for (const { chunkId } of node.items) walk(chunkId, depth + 1);
    } else {
      leafBytes.push(opened.plaintext.length);
      entries += node.items.length;
    }
  };
  walk(root, 0);
  return { depth: deepest, leafBytes, entries };
}

describe('a catalog of many entries', () => {
  it('is a flat tree of leaves of the size that they should have, and holds everything', async () => {
    const entries = manyEntries(100_000);
    const whole = build(entries);
    const { depth, leafBytes, entries: count } = shapeOf(whole);
    expect(count).toBe(entries.length);
    expect(depth).toBeLessThanOrEqual(3);
    expect(Math.max(...leafBytes)).toBeLessThanOrEqual(LIMITS.catalogNodeBytesMax);
    const average = leafBytes.reduce((sum, bytes) => sum + bytes, 0) / leafBytes.length;
    expect(average).toBeGreaterThan(LIMITS.catalogNodeBytesMin / 2);
    expect(average).toBeLessThan(LIMITS.catalogNodeBytesMax / 2);
    expect(await keysOf(whole)).toEqual(entries.map(({ key }) => key));
  });

  it.each([
    ['changed', 0],
    ['added', 1],
    ['removed', 2],
  ] as const)('is rewritten in a few nodes when one entry is %s', (change, way) => {
    const entries = manyEntries(20_000);
    const whole = build(entries);
    const random = new SeededRandom(`one ${change}`);
    const rewritten: number[] = [];
    for (let times = 0; times < 8; times++) {
      const place = random.below(entries.length);
      const { key } = entries[place] as CatalogEntry;
      const replacement = [
        [{ ...(entries[place] as CatalogEntry), metadata: fileEntry('any', 999_999).metadata }],
        [entries[place] as CatalogEntry, { ...fileEntry('any', 1), key: `${key}+` as CatalogKey }],
        [],
      ][way] as CatalogEntry[];
      const next = [...entries.slice(0, place), ...replacement, ...entries.slice(place + 1)];
      const before = whole.catalogs.nodes.size;
      build(next, whole.catalogs);
      rewritten.push(whole.catalogs.nodes.size - before);
    }
    // A leaf or two where a cut moves, and as many on each level above.
    expect(Math.max(...rewritten)).toBeLessThanOrEqual(9);
    const average = rewritten.reduce((sum, count) => sum + count, 0) / rewritten.length;
    expect(average).toBeLessThan(4.5);
  });
});

describe('a catalog', () => {
  const name = fc.stringMatching(/^[a-c]{1,2}$/);
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  const tree = fc.uniqueArray(fc.tuple(path, fc.integer({ min: 1, max: 40_000 })), {
    selector: ([one]) => one,
    maxLength: 30,
  });

  it('is the same for the same entries, and another for others', () => {
    fc.assert(
      fc.property(tree, fc.nat(), (files, chosen) => {
        const entries = inOrder(files.map(([one, bytes]) => fat(one, bytes)));
        const { root } = build(entries);
        expect(build(entries).root).toBe(root);
        const place = chosen % Math.max(1, entries.length);
        const changed = entries.map((entry, index) =>
          index === place ? { ...entry, metadata: Buffer.concat([entry.metadata, Buffer.alloc(1)]) } : entry,
        );
        expect(build(changed).root === root).toBe(entries.length === 0);
        expect(build(entries.slice(1)).root === root).toBe(entries.length === 0);
      }),
    );
  });

  it('can be read whatever the sizes of its entries, large ones first or last among them', async () => {
    const sizes = fc.array(
      fc.oneof(fc.nat(200), fc.integer({ min: 90_000, max: 110_000 }), fc.nat(1_000_000)),
      {
        maxLength: 6,
      },
    );
    await fc.assert(
      fc.asyncProperty(sizes, fc.boolean(), async (all, withRoot) => {
        const files = all.map((bytes, index) => fat(`file-${index}`, bytes));
        const entries = withRoot ? [fat('', 120_000), ...files] : files;
        expect(await keysOf(build(entries))).toEqual(entries.map(({ key }) => key));
      }),
      { numRuns: 40 },
    );
  });

  it('of nothing is an empty leaf, and a catalog of one large entry is a single leaf', () => {
    const empty = build([]);
    expect([...empty.catalogs.nodes.values()].map(({ plaintext }) => plaintext.toString('hex'))).toEqual([
      '0100',
    ]);
    expect(build([fat('', LIMITS.entryBytesMax)]).catalogs.nodes.size).toBe(1);
  });

  it('can be read when paths are so long that a node has few of them', async () => {
    const entries = inOrder(
      Array.from({ length: 300 }, (_, index) => fileEntry(`${'folder/'.repeat(5000)}${index}`)),
    );
    const built = build(entries);
    expect(await keysOf(built)).toEqual(entries.map(({ key }) => key));
    expect(shapeOf(built).depth).toBeLessThanOrEqual(LIMITS.catalogDepthMax);
  });

  it('falls apart elsewhere under another key', () => {
    const entries = manyEntries(5000);
    const others = build(entries, new MemoryCatalogs(), Buffer.alloc(8, 6)).catalogs.nodes;
    const shared = [...build(entries).catalogs.nodes.keys()].filter((id) => others.has(id));
    expect(shared.length).toBeLessThan(3);
  });

  it('keeps tables within their bound, whatever the files and named streams have', () => {
    const stream = (index: number, slices: number): NamedStream => ({
      name: `stream-${index}` as ByteString,
      size: slices,
      content: sampleSlices(slices, index * 131).map((slice) => ({ ...slice, offset: 0, length: 1 })),
    });
    const streams = (count: number, slices: number) =>
      Array.from({ length: count }, (_, index) => stream(index, slices));
    const entries = [
      fileEntry('a', 1, { namedStreams: streams(LIMITS.namedStreamsMax, 4) }),
      fileEntry('b', 1, { namedStreams: streams(200, 200), content: sampleSlices(128) }),
      ...Array.from({ length: 200 }, (_, index) =>
        fileEntry(`bb${1000 + index}`, 1, {
          namedStreams: Array.from({ length: 100 }, (_unused, place) => ({
            name: 's' as ByteString,
            size: 4,
            content: sampleSlices(4, index * 400 + place * 4).map((slice) => ({
              ...slice,
              offset: 0,
              length: 1,
            })),
          })),
        }),
      ),
      ...Array.from({ length: 300 }, (_, index) =>
        fileEntry(`c${1000 + index}`, 1, { content: sampleSlices(100, index * 100) }),
      ),
    ];
    const { root, catalogs } = build(entries);
    const tableSizes: number[] = [];
    for (const { table, plaintext } of catalogs.nodes.values()) {
      tableSizes.push(table.length);
      expect(plaintext.length).toBeLessThanOrEqual(LIMITS.blobPlaintextBytesMax);
    }
    expect(Math.max(...tableSizes)).toBeLessThanOrEqual(LIMITS.nodeTableIdsMax);
    expect(shapeOf({ root, catalogs }).entries).toBe(entries.length);
  });
});

/** An entry with so much metadata. It need not be any: nobody decodes it here. */
function fat(path: string, bytes: number): CatalogEntry {
  return { ...fileEntry(path), metadata: padded(fileEntry(path).metadata, bytes) };
}

/** The metadata with an extended attribute that makes it about so long. */
function padded(metadata: Buffer, bytes: number): Buffer {
  const room = bytes - metadata.length - 16;
  if (room <= 0) return metadata;
  const entry = { type: 'file', mode: 0, uid: 0, gid: 0, mtimeNs: 0n, size: 0 } as const;
  return encodeEntryMetadata({
    ...entry,
    xattrs: [{ name: 'user.x' as ByteString, value: Buffer.alloc(room - 16 > 0 ? room - 16 : 0) }],
  });
}

describe('a builder refuses', () => {
  it('keys that do not ascend', () => {
    const builder = new CatalogBuilder(CUT_KEY, () => sampleChunkId(1));
    builder.add(fileEntry('b'));
    expect(() => builder.add(fileEntry('b'))).toThrow(RangeError);
    expect(() => builder.add(fileEntry('a'))).toThrow(RangeError);
  });

  it('an entry that readers would refuse for its size', () => {
    const builder = new CatalogBuilder(CUT_KEY, () => sampleChunkId(1));
    const entry = fileEntry('a');
    const stream = { name: 's' as ByteString, size: 0, content: [] };
    const key = `\0${'a'.repeat(LIMITS.pathBytesMax)}` as CatalogKey;
    const namedStreams = Array.from({ length: LIMITS.namedStreamsMax + 1 }, () => stream);
    expect(() => builder.add({ ...entry, metadata: Buffer.alloc(LIMITS.entryBytesMax + 1) })).toThrow(
      RangeError,
    );
    expect(() => builder.add({ ...entry, key })).toThrow(RangeError);
    expect(() => builder.add({ ...entry, namedStreams })).toThrow(RangeError);
  });
});
