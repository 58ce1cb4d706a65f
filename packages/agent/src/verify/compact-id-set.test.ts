import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { ChunkId } from '@cofre/shared/ids';
import { CompactIdSet } from './compact-id-set.ts';

const idOf = (text: string) => createHash('sha256').update(text).digest('hex') as ChunkId;

it('a compact set knows what was added, across growth', () => {
  const set = new CompactIdSet();
  for (let number = 0; number < 5000; number++) expect(set.add(idOf(`in ${number}`))).toBe(true);
  for (let number = 0; number < 5000; number++) {
    expect(set.add(idOf(`in ${number}`))).toBe(false);
    expect(set.has(idOf(`in ${number}`))).toBe(true);
    expect(set.has(idOf(`out ${number}`))).toBe(false);
  }
  expect(set.size).toBe(5000);
});

it('a compact set takes an id of zeros', () => {
  const set = new CompactIdSet();
  const zeros = '0'.repeat(64) as ChunkId;
  expect(set.has(zeros)).toBe(false);
  expect(set.add(zeros)).toBe(true);
  expect(set.add(zeros)).toBe(false);
});
