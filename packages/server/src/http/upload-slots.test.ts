import { expect, test } from 'vitest';
import { UploadSlots } from './upload-slots.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Asks for slots and notes who has one. */
function takers(slots: UploadSlots) {
  const running = new Map<string, Disposable>();
  return {
    running,
    take: (name: string, tenant: string) => void slots.take(tenant).then((slot) => running.set(name, slot)),
    end: (name: string) => {
      running.get(name)?.[Symbol.dispose]();
      running.delete(name);
    },
  };
}

test('a tenant with its share waits, and others pass it', async () => {
  const { running, take, end } = takers(new UploadSlots({ uploadsMax: 3, uploadsPerTenantMax: 2 }));
  for (const name of ['a1', 'a2', 'a3']) take(name, 'a');
  take('b1', 'b');
  await settle();
  expect([...running.keys()]).toEqual(['a1', 'a2', 'b1']);
  end('b1');
  await settle();
  expect([...running.keys()]).toEqual(['a1', 'a2']);
  end('a1');
  await settle();
  expect([...running.keys()]).toEqual(['a2', 'a3']);
});

test('uploads begin in the order in which they came', async () => {
  const { running, take, end } = takers(new UploadSlots({ uploadsMax: 1, uploadsPerTenantMax: 1 }));
  for (const name of ['first', 'second', 'third']) take(name, name);
  for (const name of ['first', 'second', 'third']) {
    await settle();
    expect([...running.keys()]).toEqual([name]);
    end(name);
  }
});

test('a slot that is given back twice counts once', async () => {
  const slots = new UploadSlots({ uploadsMax: 1, uploadsPerTenantMax: 1 });
  const slot = await slots.take('a');
  slot[Symbol.dispose]();
  slot[Symbol.dispose]();
  const { running, take } = takers(slots);
  take('b1', 'b');
  take('b2', 'b');
  await settle();
  expect([...running.keys()]).toEqual(['b1']);
});
