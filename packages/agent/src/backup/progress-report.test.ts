import type { ByteString } from '@cofre/shared/bytes';
import { expect, test, vi } from 'vitest';
import type { BackupProgress } from './backup.ts';
import { ProgressReport } from './progress-report.ts';

const numbers = { filesDone: 1, filesFound: 2, bytesRead: 3, bytesSent: 4, bytesSeen: 5 };

test('numbers never fall, whatever an attempt begins with', () => {
  const told: BackupProgress[] = [];
  const report = new ProgressReport((progress) => told.push(progress));
  report.update('scanning', numbers, 'a' as ByteString);
  report.update('scanning', { ...numbers, filesDone: 0, bytesRead: 9 }, null);
  expect(told).toEqual([
    { phase: 'scanning', ...numbers, currentPath: 'a' },
    { phase: 'scanning', ...numbers, bytesRead: 9, currentPath: null },
  ]);
});

test('a new phase is told at once, anything else not too often', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    vi.advanceTimersByTime(1000);
    const report = new ProgressReport(() => undefined);
    expect(report.isDue('scanning')).toBe(true);
    report.update('scanning', numbers, null);
    expect(report.isDue('scanning')).toBe(false);
    expect(report.isDue('sending')).toBe(true);
    vi.advanceTimersByTime(100);
    expect(report.isDue('scanning')).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});
