import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import type { ByteString } from '@cofre/shared/bytes';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { EntryQueue, type FinishedEntry } from './entry-queue.ts';
import { FINGERPRINT_BYTES } from './fingerprint.ts';

function entry(name: string): FinishedEntry {
  const key = catalogKey(name as ByteString);
  const metadata = Buffer.alloc(0);
  return {
    key,
    fingerprint: Buffer.alloc(FINGERPRINT_BYTES),
    metadata,
    hardLinkTo: '',
    slices: [],
    kind: 'file',
    sizeBytes: 0,
  };
}

function takeAll(queue: EntryQueue): FinishedEntry[] {
  const taken: FinishedEntry[] = [];
  for (let next = queue.take(); next !== null; next = queue.take()) taken.push(next);
  return taken;
}

test('entries come out in the order of their places, whatever order they were finished in', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 300 }), (ranks) => {
      const queue = new EntryQueue();
      const all = ranks.map((_, place) => entry(`file-${place}`));
      const finish = all.map(() => queue.reserve());
      const order = ranks.map((rank, place) => ({ rank, place })).toSorted((a, b) => a.rank - b.rank);
      const taken: FinishedEntry[] = [];
      for (const { place } of order) {
        finish[place]?.(all[place] as FinishedEntry);
        taken.push(...takeAll(queue));
      }
      expect(taken).toEqual(all);
      expect(queue.length).toBe(0);
      expect(queue.end).toBe(all.length);
    }),
  );
});

test('a place for which nothing comes is passed over', () => {
  const queue = new EntryQueue();
  const finish = queue.reserve();
  queue.push(entry('b'));
  expect(queue.take()).toBeNull();
  finish(null);
  expect(queue.take()).toEqual(entry('b'));
  expect(queue.length).toBe(0);
});

test('many thousand entries leave nothing behind', () => {
  const queue = new EntryQueue();
  for (let place = 0; place < 20_000; place++) {
    queue.push(entry(`file-${place}`));
    if (place % 3 === 0) takeAll(queue);
  }
  takeAll(queue);
  expect([queue.length, queue.end]).toEqual([0, 20_000]);
});

test('a change that came before anybody waited is told to the next who waits', async () => {
  const queue = new EntryQueue();
  queue.reserve()(entry('a'));
  await queue.change();
  let isTold = false;
  const next = queue.change().then(() => (isTold = true));
  await Promise.resolve();
  expect(isTold).toBe(false);
  queue.notify();
  await next;
  expect(isTold).toBe(true);
});

test('everybody who waits is woken', async () => {
  const queue = new EntryQueue();
  const first = queue.change();
  const second = queue.change();
  queue.notify();
  await first;
  queue.notify();
  await second;
  expect(queue.length).toBe(0);
});
