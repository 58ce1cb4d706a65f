import { describe, expect, it } from 'vitest';
import { sampleSlices } from '../../../../test/builders/format-samples.ts';
import { MemoryCatalogs } from '../../../../test/builders/memory-catalog.ts';
import type { Slice } from '../format/entry.ts';
import { sha256 } from '../hash.ts';
import type { ChunkId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { referenceContent } from './content-list.ts';
import { decodeList, type ContentReference } from './node.ts';

/** Slices of chunks whose ids are as good as random. */
function slicesOf(count: number, seed: string): Slice[] {
  return Array.from({ length: count }, (_, index) => ({
    chunkId: sha256(Buffer.from(`${seed} ${index}`)).toString('hex') as ChunkId,
    offset: 0,
    length: 1 + (index % 1000),
  }));
}

function reference(slices: readonly Slice[], catalogs: MemoryCatalogs): ContentReference {
  return referenceContent(slices, (_, node) => catalogs.put(node));
}

async function read(content: ContentReference, catalogs: MemoryCatalogs): Promise<Slice[]> {
  const slices: Slice[] = [];
  for await (const slice of catalogs.reader('' as ChunkId).slices(content)) slices.push(slice);
  return slices;
}

describe('content', () => {
  it('stays in its leaf up to a bound, and goes into a list beyond it', () => {
    const catalogs = new MemoryCatalogs();
    const short = sampleSlices(LIMITS.inlineSlicesMax);
    expect(reference(short, catalogs)).toEqual({ kind: 'slices', slices: short });
    expect(catalogs.nodes.size).toBe(0);
    expect(reference(slicesOf(LIMITS.inlineSlicesMax + 1, 'longer'), catalogs)).toMatchObject({
      kind: 'list',
      list: { level: 0 },
    });
    expect(catalogs.nodes.size).toBe(1);
  });

  it('of 100,000 slices is a flat tree of lists that says how long it is, and comes back', async () => {
    const catalogs = new MemoryCatalogs();
    const slices = slicesOf(100_000, 'large');
    const content = reference(slices, catalogs);
    const length = slices.reduce((sum, slice) => sum + slice.length, 0);
    expect(content).toMatchObject({ kind: 'list', list: { length } });
    expect(content.kind === 'list' && content.list.level).toBeLessThanOrEqual(2);
    expect(await read(content, catalogs)).toEqual(slices);
    for (const { table, plaintext } of catalogs.nodes.values()) {
      expect(decodeList(table, plaintext).slices.length).toBeLessThanOrEqual(LIMITS.listNodeSlicesMax);
    }
  });

  it('of a large file is rewritten in a few lists when something in its middle changes', () => {
    const catalogs = new MemoryCatalogs();
    const slices = slicesOf(50_000, 'before');
    reference(slices, catalogs);
    const inserted = slicesOf(3, 'inserted');
    for (const place of [0, 77, 25_000, 49_999]) {
      const before = catalogs.nodes.size;
      reference([...slices.slice(0, place), ...inserted, ...slices.slice(place + 1)], catalogs);
      expect(catalogs.nodes.size - before).toBeLessThanOrEqual(6);
    }
  });

  it('of one chunk again and again is bounded too, where no id ever ends a list', async () => {
    const catalogs = new MemoryCatalogs();
    const chunkId = 'ff'.repeat(32) as ChunkId;
    const slices = Array.from({ length: 10_000 }, () => ({ chunkId, offset: 0, length: 4096 }));
    const content = reference(slices, catalogs);
    expect(await read(content, catalogs)).toHaveLength(10_000);
    // The same content gives the same lists: four full ones are one node.
    expect(catalogs.nodes.size).toBe(3);
  });

  it('of one chunk whose id ends every list still gets shorter from level to level', async () => {
    const catalogs = new MemoryCatalogs();
    const chunkId = '00'.repeat(32) as ChunkId;
    const slices = Array.from({ length: 100_000 }, () => ({ chunkId, offset: 0, length: 4096 }));
    const content = reference(slices, catalogs);
    expect(content.kind === 'list' && content.list.level).toBeLessThan(LIMITS.listDepthMax);
    expect(await read(content, catalogs)).toHaveLength(100_000);
  });
});
