import { CHUNK_ID_BYTES, type ChunkId } from '@cofre/shared/ids';
import { sha256 } from '@cofre/shared/hash';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHUNK_STATES, ChunkTable, isThere } from './chunk-table.ts';

const { held, live, claimed, needed, missing } = CHUNK_STATES;

function idOf(number: number): ChunkId {
  return sha256(Buffer.from(String(number))).toString('hex') as ChunkId;
}

function idsIn(bytes: Buffer): string[] {
  return Array.from({ length: bytes.length / CHUNK_ID_BYTES }, (_, place) =>
    bytes.toString('hex', place * CHUNK_ID_BYTES, (place + 1) * CHUNK_ID_BYTES),
  );
}

/** Ids of which many agree in the bytes that the table looks at first. */
const clashingId = fc
  .tuple(fc.constantFrom(0, 1, 0xffffffff), fc.constantFrom(0, 1), fc.nat({ max: 200 }))
  .map(([place, second, rest]) => {
    const id = Buffer.alloc(CHUNK_ID_BYTES);
    id.writeUInt32LE(place, 0);
    id.writeUInt32LE(second, 4);
    id.writeUInt32LE(rest, 28);
    return id.toString('hex') as ChunkId;
  });

test('it agrees with a model, also where ids clash', () => {
  const mark = fc.tuple(clashingId, fc.nat({ max: 31 }));
  fc.assert(
    fc.property(
      fc.array(mark, { maxLength: 500 }),
      fc.nat({ max: 31 }),
      fc.nat({ max: 31 }),
      (marks, mask, wanted) => {
        const table = new ChunkTable();
        const model = new Map<ChunkId, number>();
        for (const [id, bits] of marks) {
          expect(table.mark(id, bits)).toBe(model.get(id) ?? 0);
          model.set(id, (model.get(id) ?? 0) | bits);
        }
        expect(table.size).toBe(model.size);
        for (const [id, bits] of model) expect(table.stateOf(id)).toBe(bits);
        const expected = [...model]
          .filter(([, bits]) => (bits & mask) === (wanted & mask))
          .map(([id]) => id as string);
        expect(idsIn(table.collect(mask, wanted & mask))).toEqual(expected.toSorted());
      },
    ),
  );
});

test('it grows without losing anything, and gives ids in ascending order', () => {
  const table = new ChunkTable();
  const count = 30_000;
  for (let number = 0; number < count; number++) table.mark(idOf(number), number % 3 === 0 ? held : needed);
  expect(table.size).toBe(count);
  for (let number = 0; number < count; number += 7) {
    expect(table.stateOf(idOf(number))).toBe(number % 3 === 0 ? held : needed);
  }
  expect(table.stateOf(idOf(count))).toBe(0);
  const collected = idsIn(table.collect(held, held));
  expect(collected).toHaveLength(count / 3);
  expect(collected).toEqual(collected.toSorted());
});

test('room that is made beforehand changes nothing else', () => {
  const table = new ChunkTable();
  table.mark(idOf(1), live);
  table.reserve(100_000);
  expect(table.stateOf(idOf(1))).toBe(live);
  for (let number = 0; number < 5000; number++) table.mark(idOf(number), needed);
  expect(table.size).toBe(5000);
  expect(table.stateOf(idOf(1))).toBe(live | needed);
});

test('ids inside of other bytes are the same ids', () => {
  const table = new ChunkTable();
  const bytes = Buffer.concat([Buffer.alloc(3), Buffer.from(idOf(1), 'hex'), Buffer.from(idOf(2), 'hex')]);
  expect(table.markAt(bytes, 3 + CHUNK_ID_BYTES, live)).toBe(0);
  expect(table.stateOf(idOf(2))).toBe(live);
  expect(table.stateAt(bytes, 3)).toBe(0);
  expect(table.stateAt(bytes, 3 + CHUNK_ID_BYTES)).toBe(live);
});

test('a chunk is there when it is live or on its way, and not when a commit was refused for want of it', () => {
  expect([0, held, needed, held | needed].map(isThere)).toEqual([false, false, false, false]);
  expect([live, claimed, live | held].map(isThere)).toEqual([true, true, true]);
  expect([missing, missing | live, missing | held].map(isThere)).toEqual([false, false, false]);
  expect(isThere(missing | live | claimed)).toBe(true);
});
