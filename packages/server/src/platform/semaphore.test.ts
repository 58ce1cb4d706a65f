import { expect, test } from 'vitest';
import { Semaphore } from './semaphore.ts';

test('no more run at once than may, all get their turn in order, failures included', async () => {
  const semaphore = new Semaphore(2);
  const order: number[] = [];
  let running = 0;
  let runningMax = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 9 }, (_, place) =>
      semaphore.run(async () => {
        order.push(place);
        runningMax = Math.max(runningMax, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        if (place % 3 === 0) throw new Error('refused');
        return place;
      }),
    ),
  );
  expect(runningMax).toBe(2);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(3);
});
