import { CofreError } from '@cofre/shared/errors';
import type { SessionId } from '@cofre/shared/ids';
import { expect, test } from 'vitest';
import { RunEnding } from '../run-ending.ts';
import { PackSender } from './pack-sender.ts';

interface Upload {
  readonly operationId: string;
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
}

function senderWith(keyringStored: Promise<void> = Promise.resolve()) {
  const controller = new AbortController();
  const ending = new RunEnding(controller.signal);
  const uploads: Upload[] = [];
  const putPack = async (_session: SessionId, operationId: string) =>
    await new Promise<{ packNumber: number; blobs: number; duplicates: number; healed: number }>(
      (resolve, reject) => {
        uploads.push({
          operationId,
          fail: reject,
          finish: () => resolve({ packNumber: 1, blobs: 1, duplicates: 0, healed: 0 }),
        });
      },
    );
  const sender = new PackSender({ putPack }, 'session' as SessionId, keyringStored, ending);
  return { sender, uploads, ending, controller };
}

const parts = [Buffer.alloc(10), Buffer.alloc(5)];
const turn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  void Promise.allSettled([promise]).then(() => (isDone = true));
  await turn();
  return !isDone;
}

test('two packs travel at once, the others wait for their turn in order', async () => {
  const { sender, uploads } = senderWith();
  const released: number[] = [];
  const sends = [1, 2, 3, 4].map(async (number) => {
    await sender.send(parts, 3, () => released.push(number));
    return number;
  });
  await turn();
  expect(uploads).toHaveLength(2);
  expect(await isPending(sends[2] as Promise<number>)).toBe(true);
  uploads[1]?.finish();
  expect(await sends[2]).toBe(3);
  await turn();
  expect([uploads.length, released]).toEqual([3, [2]]);
  for (const place of [0, 2]) uploads[place]?.finish();
  await turn();
  uploads[3]?.finish();
  await sender.settled();
  expect(released).toEqual([2, 1, 3, 4]);
  expect([sender.sentBytes, sender.sentBlobs]).toEqual([60, 12]);
  expect(new Set(uploads.map(({ operationId }) => operationId)).size).toBe(4);
});

test('it is settled only when the packs that waited for a turn are durable as well', async () => {
  const { sender, uploads } = senderWith();
  for (let count = 0; count < 5; count++) void sender.send(parts, 1, () => undefined);
  await turn();
  const settled = sender.settled();
  for (let place = 0; place < 5; place++) {
    expect(await isPending(settled)).toBe(true);
    uploads[place]?.finish();
    await turn();
  }
  await settled;
  expect(sender.sentBlobs).toBe(5);
});

test('what was handed over until now is waited for, whatever comes behind it', async () => {
  const { sender, uploads } = senderWith();
  for (let count = 0; count < 3; count++) void sender.send(parts, 1, () => undefined);
  await turn();
  const settled = sender.settledSoFar();
  void sender.send(parts, 1, () => undefined);
  for (let place = 0; place < 3; place++) {
    expect(await isPending(settled)).toBe(true);
    uploads[place]?.finish();
    await turn();
  }
  await settled;
  expect(uploads).toHaveLength(4);
  expect(sender.sentBlobs).toBe(3);
});

test('nothing is sent before the keys are stored', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { sender, uploads } = senderWith(promise);
  await sender.send(parts, 1, () => undefined);
  await turn();
  expect(uploads).toEqual([]);
  resolve();
  await turn();
  expect(uploads).toHaveLength(1);
});

test('a refused pack ends the attempt at once, with its own error, for everybody', async () => {
  const { sender, uploads, ending } = senderWith();
  const released: number[] = [];
  for (const number of [1, 2]) await sender.send(parts, 1, () => released.push(number));
  const waiting = sender.send(parts, 1, () => released.push(3));
  const settled = sender.settled();
  await turn();
  const refused = new CofreError('over_quota', { missing: '1', used: '1', quota: '1' });
  uploads[0]?.fail(refused);
  for (const failed of [waiting, settled, sender.send(parts, 1, () => undefined)])
    await expect(failed).rejects.toBe(refused);
  expect(() => ending.throwIfEnded()).toThrow(refused);
  expect([released, uploads.length, sender.sentBlobs]).toEqual([[], 2, 0]);
});

test('whoever waits for a turn or for the end stops waiting when the run is interrupted', async () => {
  const { sender, controller } = senderWith();
  for (let count = 0; count < 2; count++) await sender.send(parts, 1, () => undefined);
  const waiting = [sender.send(parts, 1, () => undefined), sender.settled()];
  controller.abort();
  for (const stopped of waiting) await expect(stopped).rejects.toMatchObject({ code: 'interrupted' });
});
