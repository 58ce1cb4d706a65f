import { expect, it } from 'vitest';
import { releaseMemory } from './release-memory.ts';

it('a large buffer is empty once its memory was given back', () => {
  const large = Buffer.alloc(1024 * 1024, 7);
  const view = large.subarray(5);
  releaseMemory(view);
  expect([large.length, view.length]).toEqual([0, 0]);
});

it('memory that may be shared with strangers is left alone', () => {
  const pooled = Buffer.from('small buffers come from a pool');
  const shared = new Uint8Array(new SharedArrayBuffer(1024 * 1024));
  releaseMemory(pooled);
  releaseMemory(shared);
  expect(pooled.toString()).toBe('small buffers come from a pool');
  expect(shared).toHaveLength(1024 * 1024);
});
