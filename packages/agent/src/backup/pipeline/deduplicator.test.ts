import { CHUNK_ID_BYTES } from '@cofre/shared/ids';
import { sha256 } from '@cofre/shared/hash';
import { LIMITS } from '@cofre/shared/limits';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHUNK_STATES, ChunkTable } from './chunk-table.ts';
import { Deduplicator } from './deduplicator.ts';

const idOf = (number: number): Buffer => sha256(Buffer.from(String(number)));
const idsOf = (numbers: readonly number[]): Buffer => Buffer.concat(numbers.map(idOf));

/** A server that has some chunks, and answers after a moment. */
function serverWith(numbers: readonly number[]) {
  const there = new Set(numbers.map((number) => idOf(number).toString('hex')));
  const questions: number[] = [];
  const ask = async (ids: Uint8Array): Promise<Uint8Array> => {
    const bytes = Buffer.from(ids);
    questions.push(bytes.length / CHUNK_ID_BYTES);
    await new Promise((resolve) => setTimeout(resolve, 1));
    return Uint8Array.from({ length: bytes.length / CHUNK_ID_BYTES }, (_, place) =>
      there.has(bytes.toString('hex', place * CHUNK_ID_BYTES, (place + 1) * CHUNK_ID_BYTES)) ? 1 : 0,
    );
  };
  return { ask, questions };
}

test('what the server has is not sent, and the rest is sent by whoever asked first', async () => {
  const { ask } = serverWith([1, 2]);
  const deduplicator = new Deduplicator(new ChunkTable(), ask);
  expect([...(await deduplicator.decide(idsOf([1, 3, 2, 3])))]).toEqual([0, 1, 0, 0]);
  expect([...(await deduplicator.decide(idsOf([3, 4])))]).toEqual([0, 1]);
});

test('questions that come together travel together, and nothing is asked twice', async () => {
  const { ask, questions } = serverWith([]);
  const deduplicator = new Deduplicator(new ChunkTable(), ask);
  await Promise.all([deduplicator.decide(idsOf([1, 2])), deduplicator.decide(idsOf([3]))]);
  expect(questions).toEqual([3]);
  await deduplicator.decide(idsOf([1, 2, 3]));
  expect(questions).toEqual([3]);
});

test('an empty server is not asked at all', async () => {
  const deduplicator = new Deduplicator(new ChunkTable(), null);
  expect([...(await deduplicator.decide(idsOf([1, 1, 2])))]).toEqual([1, 0, 1]);
  await deduplicator.learn(idsOf([5]));
  expect([...(await deduplicator.decide(idsOf([5])))]).toEqual([1]);
});

test('what is held, but not known to be live, is asked for and sent', async () => {
  const table = new ChunkTable();
  for (const number of [1, 2]) table.markAt(idOf(number), 0, CHUNK_STATES.held);
  const deduplicator = new Deduplicator(table, serverWith([1]).ask);
  expect([...(await deduplicator.decide(idsOf([1, 2])))]).toEqual([0, 1]);
});

test('a missing chunk is sent without asking, whatever was said of it', async () => {
  const table = new ChunkTable();
  const { ask, questions } = serverWith([1]);
  table.markAt(idOf(1), 0, CHUNK_STATES.missing);
  const deduplicator = new Deduplicator(table, ask);
  await deduplicator.learn(idsOf([1]));
  questions.length = 0;
  expect([...(await deduplicator.decide(idsOf([1])))]).toEqual([1]);
  expect([...(await deduplicator.decide(idsOf([1])))]).toEqual([0]);
  expect(questions).toEqual([]);
});

test('more ids than one question takes are asked for in several', async () => {
  const { ask, questions } = serverWith([0, 10_001]);
  const table = new ChunkTable();
  const numbers = Array.from({ length: LIMITS.haveIdsMax + 2 }, (_, number) => number);
  await new Deduplicator(table, ask).learn(idsOf(numbers));
  expect(questions).toEqual([LIMITS.haveIdsMax, 2]);
  expect(table.stateAt(idOf(10_001), 0)).toBe(CHUNK_STATES.live);
  expect(table.stateAt(idOf(1), 0)).toBe(0);
});

test('when the server cannot be asked, everybody who waits hears it', async () => {
  const failure = new Error('away');
  const deduplicator = new Deduplicator(new ChunkTable(), async () => {
    throw failure;
  });
  const questions = [deduplicator.decide(idsOf([1])), deduplicator.decide(idsOf([2]))];
  for (const question of questions) await expect(question).rejects.toBe(failure);
});

test('however questions overlap in time, what the server lacks is sent exactly once', async () => {
  const question = fc.array(fc.nat({ max: 20 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(question, { maxLength: 12 }),
      fc.uniqueArray(fc.nat({ max: 20 })),
      fc.scheduler(),
      async (questions, there, scheduler) => {
        const { ask } = serverWith(there);
        const deduplicator = new Deduplicator(new ChunkTable(), scheduler.scheduleFunction(ask));
        const asked = Promise.all(
          questions.map(async (numbers) => {
            await scheduler.schedule(Promise.resolve());
            const send = await deduplicator.decide(idsOf(numbers));
            return numbers.filter((_, place) => send[place] === 1);
          }),
        );
        const sent = (await scheduler.waitFor(asked)).flat();
        const wanted = new Set(questions.flat().filter((number) => !there.includes(number)));
        expect(sent.toSorted((a, b) => a - b)).toEqual([...wanted].toSorted((a, b) => a - b));
      },
    ),
    { numRuns: 60 },
  );
});
