import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import { sha256 } from '@cofre/shared/hash';
import type { ChunkId } from '@cofre/shared/ids';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { moveHead, refsetChange } from './commit-snapshot.ts';
import { CHUNK_STATES, ChunkTable } from './pipeline/chunk-table.ts';

const idOf = (number: number): ChunkId => sha256(Buffer.from(String(number))).toString('hex') as ChunkId;

function hashOf(numbers: Iterable<number>): RefsetHash {
  const hash = RefsetHash.empty();
  for (const number of numbers) hash.add(idOf(number));
  return hash;
}

const idsOf = (numbers: readonly number[]): string => numbers.map(idOf).toSorted().join('');
const numbers = fc.uniqueArray(fc.nat({ max: 30 }));

test('a change of the head leads to the same refset as the whole of it', () => {
  fc.assert(
    fc.property(numbers, numbers, numbers, (head, next, sentOnly) => {
      const table = new ChunkTable();
      for (const number of head) table.mark(idOf(number), CHUNK_STATES.held | CHUNK_STATES.live);
      for (const number of sentOnly) table.mark(idOf(number), CHUNK_STATES.claimed);
      for (const number of next) table.mark(idOf(number), CHUNK_STATES.needed);
      const delta = refsetChange(table, { state: hashOf(head).state(), count: head.length });
      const full = refsetChange(table, null);
      expect(delta.refs).toBe('delta');
      expect(delta.added.toString('hex')).toBe(idsOf(next.filter((number) => !head.includes(number))));
      expect(delta.removed.toString('hex')).toBe(idsOf(head.filter((number) => !next.includes(number))));
      expect(full).toMatchObject({ refs: 'full', removed: Buffer.alloc(0) });
      expect(full.added.toString('hex')).toBe(idsOf(next));
      for (const { hash } of [delta, full]) {
        expect(hash.count).toBe(next.length);
        expect(hash.digest()).toEqual(hashOf(next).digest());
      }
    }),
    { numRuns: 50 },
  );
});

test('behind a checkpoint the change is told from that, and what only it needed is taken away', () => {
  fc.assert(
    fc.property(numbers, numbers, numbers, (first, passing, second) => {
      const table = new ChunkTable();
      for (const number of first) table.mark(idOf(number), CHUNK_STATES.needed | CHUNK_STATES.claimed);
      for (const number of passing) table.mark(idOf(number), CHUNK_STATES.passing);
      const checkpoint = refsetChange(table, null);
      const all = new Set([...first, ...passing]);
      expect(checkpoint.hash.digest()).toEqual(hashOf(all).digest());
      moveHead(table);
      for (const number of second) table.mark(idOf(number), CHUNK_STATES.needed);
      const last = refsetChange(table, { state: checkpoint.hash.state(), count: checkpoint.hash.count });
      const whole = new Set([...first, ...second]);
      expect(last.hash.digest()).toEqual(hashOf(whole).digest());
      expect(last.removed.toString('hex')).toBe(idsOf([...all].filter((number) => !whole.has(number))));
    }),
    { numRuns: 50 },
  );
});
