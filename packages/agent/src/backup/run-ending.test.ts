import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { RunEnding } from './run-ending.ts';

async function never(): Promise<never> {
  return await new Promise<never>(() => {});
}

test('work settles as it would', async () => {
  const ending = new RunEnding(new AbortController().signal);
  expect(await ending.unlessEnded(Promise.resolve(7))).toBe(7);
  const failure = new Error('no');
  await expect(ending.unlessEnded(Promise.reject(failure))).rejects.toBe(failure);
  expect(ending.hasEnded).toBe(false);
  ending.throwIfEnded();
});

test('the first failure ends every wait, and what comes later changes nothing', async () => {
  const ending = new RunEnding(new AbortController().signal);
  const waits = [ending.unlessEnded(never()), ending.unlessEnded(never())];
  const first = new Error('first');
  ending.fail(first);
  ending.fail(new Error('second'));
  for (const wait of waits) await expect(wait).rejects.toBe(first);
  await expect(ending.unlessEnded(Promise.resolve(1))).rejects.toBe(first);
  expect(() => ending.throwIfEnded()).toThrow(first);
});

test('the signal ends the attempt, unless something failed before', async () => {
  const controller = new AbortController();
  const ending = new RunEnding(controller.signal);
  const failed = new RunEnding(controller.signal);
  failed.fail(new Error('failed before'));
  const wait = ending.unlessEnded(never());
  controller.abort();
  await expect(wait).rejects.toMatchObject({ code: 'interrupted' });
  expect(() => failed.throwIfEnded()).toThrow('failed before');
  expect(new RunEnding(controller.signal).hasEnded).toBe(true);
});

test('work that fails when nobody hears it any more is no unhandled rejection', async () => {
  const ending = new RunEnding(new AbortController().signal);
  const { promise, reject } = Promise.withResolvers<never>();
  const wait = ending.unlessEnded(promise);
  ending.fail(new Error('over'));
  await expect(wait).rejects.toThrow('over');
  reject(new Error('too late'));
  await expect(ending.unlessEnded(Promise.reject(new Error('later still')))).rejects.toThrow('over');
  await new Promise((resolve) => setImmediate(resolve));
});

test('an attempt that has ended no longer listens to the signal', () => {
  const { signal } = new AbortController();
  const ending = new RunEnding(signal);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  ending.fail(new Error('over'));
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});
