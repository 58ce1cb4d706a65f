import type { CofreError } from '@cofre/shared/errors';
import { expect, test } from 'vitest';
import { StorageFailure } from '../platform/storage-failure.ts';
import { CallGate } from './call-gate.ts';

const failing = () => Promise.reject(new StorageFailure('fsync failed', new Error('EIO')));

test('after a storage failure everything is refused, and it is reported once', async () => {
  const reported: CofreError[] = [];
  const gate = new CallGate((error) => reported.push(error));
  await expect(gate.run(failing)).rejects.toMatchObject({ code: 'storage_failed' });
  await expect(gate.run(failing)).rejects.toMatchObject({ code: 'storage_failed' });
  await expect(gate.run(() => Promise.resolve(1))).rejects.toMatchObject({ code: 'storage_failed' });
  expect(reported).toHaveLength(1);
});

test('what was running when the storage failed is not acknowledged', async () => {
  const gate = new CallGate(() => undefined);
  let finish: (value: string) => void = () => undefined;
  const running = gate.run(() => new Promise<string>((resolve) => (finish = resolve)));
  await expect(gate.run(failing)).rejects.toMatchObject({ code: 'storage_failed' });
  finish('stored');
  await expect(running).rejects.toMatchObject({ code: 'storage_failed' });
});

test('a full disk is told as such and passes', async () => {
  const gate = new CallGate(() => undefined);
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  await expect(gate.run(() => Promise.reject(full))).rejects.toMatchObject({ code: 'storage_full' });
  expect(await gate.run(() => Promise.resolve(1))).toBe(1);
});

test('closing waits for calls that run, reads included', async () => {
  const gate = new CallGate(() => undefined);
  const reading = gate.iterate(async function* () {
    yield 1;
    yield await Promise.resolve(2);
  });
  expect(await reading.next()).toEqual({ done: false, value: 1 });
  let isClosed = false;
  const closing = gate.close().then(() => (isClosed = true));
  await expect(gate.run(() => Promise.resolve(1))).rejects.toMatchObject({ code: 'unavailable' });
  expect(isClosed).toBe(false);
  await reading.return(undefined);
  await closing;
  expect(isClosed).toBe(true);
});
