import { describe, expect, it } from 'vitest';
import { isChunkId, isRandomId, newRandomId, type TenantId } from './ids.ts';

describe('ids', () => {
  it('that are new are random, and look like ids', () => {
    const ids = Array.from({ length: 100 }, () => newRandomId<TenantId>());
    expect(new Set(ids).size).toBe(100);
    expect(ids.every(isRandomId)).toBe(true);
  });

  it.each(['', '0'.repeat(31), '0'.repeat(33), 'A'.repeat(32), 'g'.repeat(32), `${'0'.repeat(32)}\n`])(
    'are not %j',
    (text) => {
      expect(isRandomId(text)).toBe(false);
      expect(isChunkId(text)).toBe(false);
    },
  );

  it('of chunks are twice as long', () => {
    expect(isChunkId('0f'.repeat(32))).toBe(true);
    expect(isChunkId('0F'.repeat(32))).toBe(false);
    expect(isRandomId('0f'.repeat(32))).toBe(false);
  });
});
