import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleChunkId, sampleSlices } from '../../../../test/builders/format-samples.ts';
import { refusalOf } from '../../../../test/builders/hostile-bytes.ts';
import type { ByteString } from '../bytes.ts';
import type { Slice } from '../format/entry.ts';
import { LIMITS } from '../limits.ts';
import type { ChunkId } from '../ids.ts';
import type { CatalogKey } from './catalog-key.ts';
import {
  decodeCatalogNode,
  decodeList,
  encodeInner,
  encodeLeaf,
  encodeList,
  type ContentReference,
  type EncodedNode,
  type InnerItem,
  type LeafItem,
} from './node.ts';

function idsOf({ table }: EncodedNode): ChunkId[] {
  return (table.toString('hex').match(/.{64}/g) ?? []) as ChunkId[];
}

const chunkId = fc.nat(30).map(sampleChunkId);
const slice: fc.Arbitrary<Slice> = fc
  .tuple(chunkId, fc.nat(LIMITS.blobPlaintextBytesMax - 1), fc.nat(LIMITS.blobPlaintextBytesMax))
  .map(([id, offset, length]) => ({
    chunkId: id,
    offset,
    length: Math.max(1, Math.min(length, LIMITS.blobPlaintextBytesMax - offset)),
  }));
const reference: fc.Arbitrary<ContentReference> = fc.oneof(
  fc.array(slice, { maxLength: 5 }).map((slices): ContentReference => ({ kind: 'slices', slices })),
  fc
    .record({ chunkId, level: fc.nat(LIMITS.listDepthMax - 1), length: fc.maxSafeNat() })
    .map((list): ContentReference => ({ kind: 'list', list })),
);
const latin1 = (minLength: number) =>
  fc.uint8Array({ minLength, maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const leafItem: fc.Arbitrary<LeafItem> = fc.record({
  key: latin1(0).map((key) => key as CatalogKey),
  metadata: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  content: reference,
  namedStreams: fc.array(
    fc.record({
      name: latin1(1).map((name) => name as ByteString),
      size: fc.maxSafeNat(),
      content: reference,
    }),
    { maxLength: 2 },
  ),
});
const innerItem: fc.Arbitrary<InnerItem> = fc.record({
  firstKey: latin1(0).map((key) => key as CatalogKey),
  chunkId,
  entryCount: fc.maxSafeNat(),
});
const byKey = <Item>(item: fc.Arbitrary<Item>, key: (item: Item) => string, minLength: number) =>
  fc
    .uniqueArray(item, { selector: key, minLength, maxLength: 8 })
    .map((items) => items.sort((a, b) => (key(a) < key(b) ? -1 : 1)));

describe('a node', () => {
  it('gives back its items: a leaf', () => {
    fc.assert(
      fc.property(
        byKey(leafItem, ({ key }) => key, 0),
        (items) => {
          const node = encodeLeaf(items);
          expect(decodeCatalogNode(idsOf(node), node.plaintext)).toEqual({ kind: 'leaf', items });
        },
      ),
    );
  });

  it('gives back its items: an inner node', () => {
    fc.assert(
      fc.property(
        byKey(innerItem, ({ firstKey }) => firstKey, 1),
        (items) => {
          const node = encodeInner(items);
          expect(decodeCatalogNode(idsOf(node), node.plaintext)).toEqual({ kind: 'inner', items });
        },
      ),
    );
  });

  it('gives back its items: a list', () => {
    fc.assert(
      fc.property(fc.array(slice, { minLength: 1 }), (slices) => {
        const node = encodeList({ level: 0, slices });
        expect(decodeList(idsOf(node), node.plaintext)).toEqual({ level: 0, slices });
      }),
    );
  });

  it('names each id once, in the order in which they are met', () => {
    const [first, second] = [sampleChunkId(2), sampleChunkId(1)];
    const slices = [first, second, first].map((id) => ({ chunkId: id, offset: 0, length: 1 }));
    expect(idsOf(encodeList({ level: 0, slices }))).toEqual([first, second]);
  });
});

const ONE = sampleChunkId(1);
const TWO = sampleChunkId(2);
/** A leaf's item without content: a key of one letter that shares nothing, and no metadata. */
const item = (letter: number, shared = 0) => [shared, 1, letter, 0, 0, 0, 0];

const BAD_NODES: [about: string, table: ChunkId[], bytes: number[]][] = [
  ['nothing', [], []],
  ['another kind', [], [4, 0]],
  ['a list', [], [3, 0, 0]],
  ['a count that lies', [], [1, 2, ...item(0x61)]],
  ['a huge count', [], [1, 0xff, 0xff, 0xff, 0x7f]],
  ['a count in too many bytes', [], [1, 0x80, 0]],
  ['something behind its end', [], [1, 0, 0]],
  ['a key that shares more than there is', [], [1, 1, 1, 1, 0x61, 0, 0, 0, 0]],
  ['a key that shares more than it says', [], [1, 2, ...item(0x61), 0, 2, 0x61, 0x62, 0, 0, 0, 0]],
  ['a key twice', [], [1, 2, ...item(0x61), 1, 0, 0, 0, 0, 0]],
  ['keys that descend', [], [1, 2, ...item(0x62), ...item(0x61)]],
  ['a key longer than any path', [], [1, 1, 0, 0xff, 0xff, 0x7f, 0x61]],
  ['a reference of an unknown kind', [], [1, 1, 0, 1, 0x61, 0, 2, 0, 0]],
  ['a place outside its table', [], [1, 1, 0, 1, 0x61, 0, 0, 1, 0, 0, 1, 0]],
  ['an id that nothing names', [ONE], [1, 0]],
  ['an id that no child has', [ONE, TWO], [2, 1, 0, 0, 0, 5]],
  ['ids out of order', [ONE, TWO], [2, 2, 0, 0, 1, 5, 0, 1, 0x61, 0, 5]],
  ['no children', [], [2, 0]],
  ['an empty piece', [ONE], [1, 1, 0, 1, 0x61, 0, 0, 1, 0, 0, 0, 0]],
  ['a piece outside its chunk', [ONE], [1, 1, 0, 1, 0x61, 0, 0, 1, 0, 1, 0x80, 0x80, 0x80, 0x02, 0]],
  ['more pieces than a leaf holds', [ONE], [1, 1, 0, 1, 0x61, 0, 0, 0x81, 0x01, ...manyPieces(129), 0]],
  ['a list deeper than any', [ONE], [1, 1, 0, 1, 0x61, 0, 1, 0, LIMITS.listDepthMax, 1, 0]],
];

function manyPieces(count: number): number[] {
  return Array.from({ length: count }, () => [0, 0, 1]).flat();
}

describe('a node of a catalog is refused', () => {
  it.each(BAD_NODES)('with %s', (_, table, bytes) => {
    expect(refusalOf(() => decodeCatalogNode(table, Buffer.from(bytes)))).toBe('damaged');
  });

  it('when it is cut anywhere', () => {
    const items = sampleSlices(3).map(({ chunkId: id }, index) => ({
      firstKey: `\0${index}` as CatalogKey,
      chunkId: id,
      entryCount: 1000,
    }));
    const node = encodeInner(items);
    for (let length = 0; length < node.plaintext.length; length++) {
      expect(refusalOf(() => decodeCatalogNode(idsOf(node), node.plaintext.subarray(0, length)))).toBe(
        'damaged',
      );
    }
  });
});

const BAD_LISTS: [about: string, table: ChunkId[], bytes: number[]][] = [
  ['ids out of order', [ONE, TWO], [3, 0, 3, 1, 0, 1, 0, 0, 1, 1, 0, 1]],
  ['nothing', [], []],
  ['a leaf', [], [1, 0]],
  ['no pieces', [], [3, 0, 0]],
  ['too many levels', [ONE], [3, LIMITS.listDepthMax, 1, 0, 0, 1]],
  ['an empty piece', [ONE], [3, 0, 1, 0, 0, 0]],
  ['an offset into a list', [ONE], [3, 1, 1, 0, 1, 1]],
  ['a piece outside its chunk', [ONE], [3, 0, 1, 0, 0, 0x81, 0x80, 0x80, 0x02]],
  ['more pieces than a list holds', [ONE], [3, 0, 0x81, 0x10, ...manyPieces(2049)]],
  ['something behind its end', [ONE], [3, 0, 1, 0, 0, 1, 0]],
  ['an id that nothing names', [ONE, TWO], [3, 0, 1, 0, 0, 1]],
];

describe('a list is refused', () => {
  it.each(BAD_LISTS)('with %s', (_, table, bytes) => {
    expect(refusalOf(() => decodeList(table, Buffer.from(bytes)))).toBe('damaged');
  });

  it('but not for being as long as a list can be, or for a piece that is a whole chunk', () => {
    const slices = sampleSlices(LIMITS.listNodeSlicesMax);
    slices[0] = { ...(slices[0] as Slice), length: LIMITS.blobPlaintextBytesMax };
    const node = encodeList({ level: 0, slices });
    expect(decodeList(idsOf(node), node.plaintext).slices).toEqual(slices);
  });
});
