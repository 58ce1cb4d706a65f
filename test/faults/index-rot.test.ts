import { afterAll, beforeAll, expect, test } from 'vitest';
import { RottenIndex } from './scenes/index-rot.ts';

let index: RottenIndex;

beforeAll(async () => {
  index = await RottenIndex.make();
});

afterAll(() => {
  index.remove();
});

const NAMED = ['index_damaged', 'vault_unreadable'];

// `long/index-rot.test.ts` takes all pages, and more places of each.
test('a page of an index that rots is named, and costs no other tenant anything', async () => {
  const step = Math.ceil(index.pageCount / 8);
  for (let page = 0; page < index.pageCount; page += step) {
    const codes = await index.checkFlip(page, 0);
    expect([page, codes.some((code) => NAMED.includes(code))]).toEqual([page, true]);
  }
});
