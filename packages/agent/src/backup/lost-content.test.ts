import type { ChunkId } from '@cofre/shared/ids';
import { expect, test } from 'vitest';
import { remainingContent } from './lost-content.ts';

const [A, B] = ['aa'.repeat(32) as ChunkId, 'bb'.repeat(32) as ChunkId];
const isA = (id: ChunkId): boolean => id === A;

test('what is lost becomes a hole, joined with those beside it', () => {
  const holes = [{ offset: 10, length: 5 }];
  const slices = [
    { chunkId: A, offset: 3, length: 6 },
    { chunkId: B, offset: 0, length: 3 },
    { chunkId: B, offset: 7, length: 1 },
    { chunkId: A, offset: 0, length: 5 },
  ];
  // 0–6 A, 6–9 B, 9 B, hole to 15, 15–20 A.
  expect(remainingContent({ size: 20, holes }, slices, isA)).toEqual({
    holes: [{ offset: 6, length: 9 }],
    slices: [
      { chunkId: A, offset: 3, length: 6 },
      { chunkId: A, offset: 0, length: 5 },
    ],
  });
});

test('a slice that goes on behind a hole is kept in two', () => {
  const holes = [{ offset: 2, length: 2 }];
  expect(remainingContent({ size: 6, holes }, [{ chunkId: A, offset: 0, length: 4 }], isA)).toEqual({
    holes,
    slices: [
      { chunkId: A, offset: 0, length: 2 },
      { chunkId: A, offset: 2, length: 2 },
    ],
  });
});

test('of a file of which nothing is left there is one hole', () => {
  const slices = [{ chunkId: B, offset: 0, length: 9 }];
  expect(remainingContent({ size: 9 }, slices, isA)).toEqual({
    holes: [{ offset: 0, length: 9 }],
    slices: [],
  });
});

test('content that contradicts its entry can be placed nowhere', () => {
  expect(remainingContent({ size: 8 }, [{ chunkId: B, offset: 0, length: 9 }], isA)).toBeNull();
});
