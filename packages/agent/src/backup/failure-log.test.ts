import type { ByteString } from '@cofre/shared/bytes';
import { expect, test } from 'vitest';
import type { BackupFailure } from './backup.ts';
import { FailureLog } from './failure-log.ts';

const failure = (path: string, reason = 'EACCES', isSkip = false): BackupFailure => {
  return { path: path as ByteString, reason, isSkip };
};

test('each failure is told once in a run, and kept with the attempt that met it', () => {
  const told: BackupFailure[] = [];
  const log = new FailureLog((each) => told.push(each));
  log.beginAttempt();
  log.add(failure('a'));
  log.add(failure('b', 'socket', true));
  log.beginAttempt();
  log.add(failure('a'));
  log.add(failure('a', 'changed'));
  expect(told).toEqual([failure('a'), failure('b', 'socket', true), failure('a', 'changed')]);
  expect(log.kept).toEqual([
    { path: 'a', reason: 'EACCES' },
    { path: 'a', reason: 'changed' },
  ]);
});

test('what is kept is bounded, what is told is not', () => {
  let told = 0;
  const log = new FailureLog(() => (told += 1));
  log.add(failure('x'.repeat(257)));
  expect(log.kept).toEqual([]);
  for (let number = 0; number < 30_000; number++) log.add(failure(`file ${number}`));
  expect(log.kept).toHaveLength(500);
  expect(told).toBe(30_001);
});
