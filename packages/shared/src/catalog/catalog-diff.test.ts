import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryCatalogs } from '../../../../test/builders/memory-catalog.ts';
import { diffCatalogs } from './catalog-diff.ts';
import type { CatalogReader } from './catalog-reader.ts';

type Versions = ReadonlyMap<string, { readonly version: number }>;

async function differences(before: CatalogReader, after: CatalogReader): Promise<string[]> {
  const found: string[] = [];
  for await (const { before: a, after: b } of diffCatalogs(before, after)) {
    const path = b?.path ?? a?.path ?? '';
    found.push(`${a === null ? 'added' : b === null ? 'removed' : 'changed'} ${path}`);
  }
  return found;
}

function expected(before: Versions, after: Versions): string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  const found: string[] = [];
  for (const path of all) {
    const [a, b] = [before.get(path), after.get(path)];
    if (a === undefined) found.push(`added ${path}`);
    else if (b === undefined) found.push(`removed ${path}`);
    else if (a.version !== b.version) found.push(`changed ${path}`);
  }
  return found;
}

const tree = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[a-e](\/[a-e]{1,2}){0,3}$/), fc.nat(3)), {
    maxLength: 80,
    selector: ([path]) => path,
  })
  .map((pairs): Versions => new Map(pairs.map(([path, version]) => [path, { version }])));

describe('the difference of two catalogs', () => {
  it('names every path that differs, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, async (before, after) => {
        const catalogs = new MemoryCatalogs();
        const found = await differences(catalogs.build(before), catalogs.build(after));
        expect(found.sort()).toEqual(expected(before, after).sort());
      }),
    );
  });

  it('costs as much as what changed, in a large tree', async () => {
    const catalogs = new MemoryCatalogs();
    const before = new Map<string, { version: number }>();
    for (let file = 0; file < 20_000; file++) {
      before.set(`folder-${file % 50}/a-file-of-some-length-${file}`, { version: 1 });
    }
    const after = new Map(before);
    after.set('folder-7/a-file-of-some-length-7', { version: 2 });
    after.set('folder-8/new', { version: 1 });
    after.delete('folder-30/a-file-of-some-length-30');
    const readers = [catalogs.build(before), catalogs.build(after)] as const;
    catalogs.fetched.length = 0;
    const found = await differences(...readers);
    expect(found.sort()).toEqual(expected(before, after).sort());
    expect(catalogs.nodes.size).toBeGreaterThan(50);
    expect(catalogs.fetched.length).toBeLessThan(20);
  });
});
