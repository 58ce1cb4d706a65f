import { afterAll, beforeAll, expect, test } from 'vitest';
import { RottenIndex } from '../scenes/index-rot.ts';

let index: RottenIndex;

beforeAll(async () => {
  index = await RottenIndex.make();
});

afterAll(() => {
  index.remove();
});

const NAMED = ['index_damaged', 'vault_unreadable'];
/** Type, count of cells, where cells begin, the first cell's place, and bytes of rows. */
const OFFSETS = [3, 5, 8, 4000, 4090];

/** Tests have a time limit each: every one takes some of the pages. */
const PARTS = Array.from({ length: 16 }, (_, part) => part);

function pagesOf(part: number): number[] {
  const pages = Array.from({ length: index.pageCount }, (_, page) => page);
  return pages.filter((page) => page % PARTS.length === part);
}

test.each(PARTS)('any page of an index that rots is named (part %i)', async (part) => {
  for (const page of pagesOf(part)) {
    const codes = await index.checkFlip(page, 0);
    expect([page, codes.some((code) => NAMED.includes(code))]).toEqual([page, true]);
  }
});

test.each(PARTS)(
  'a bit that rots in an index is named, or changes nothing that is read (part %i)',
  async (part) => {
    for (const page of pagesOf(part)) {
      for (const offset of OFFSETS) {
        const codes = await index.checkFlip(page, offset);
        const isHarmless = codes.length > 0 || (await index.readsWhole());
        expect([page, offset, isHarmless]).toEqual([page, offset, true]);
      }
    }
  },
);
