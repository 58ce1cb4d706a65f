import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

test('without a bound nothing waits', async () => {
  const pace = new Pace(null);
  const { signal } = new AbortController();
  let taken = 0;
  for (; taken < 1000; taken++) await pace.take(1e12, signal);
  expect(taken).toBe(1000);
});

test('the first bytes go at once, and what follows waits for them, until it is stopped', async () => {
  const pace = new Pace(1);
  const stop = new AbortController();
  await pace.take(1_000_000, stop.signal);
  const waiting = pace.take(1, stop.signal);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  await expect(pace.take(1, stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
});
