import { expect, test } from 'vitest';
import type { Measurement } from './measurement.ts';
import { median, tableFor } from './report.ts';

function measurement(contender: string, wallSeconds: number, serverCpuSeconds: number | null): Measurement {
  return {
    dataSet: 'probe',
    contender,
    run: 1,
    phase: 'first',
    client: { wallSeconds, cpuSeconds: 1, peakBytes: 1024 ** 2 },
    server: serverCpuSeconds === null ? null : { cpuSeconds: serverCpuSeconds, peakBytes: 1024 ** 2 },
    storedBytes: 3 * 1024 ** 2,
  };
}

test('a median is the middle value, or the mean of the two middle ones', () => {
  expect(median([9, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test('the table gives medians, and how many times as much the others take', () => {
  const measurements = [1, 2, 30].map((seconds) => measurement('ours', seconds, 1));
  const table = tableFor([...measurements, measurement('theirs', 5, null)], ['ours', 'theirs']);
  expect(table).toContain('| first backup | wall time, s | 2.00 | 5.00 | 2.50× |');
  expect(table).toContain('| first backup | CPU time, both, s | 2.00 | 1.00 | 0.50× |');
});

test('no ratio is given where one side has nothing', () => {
  const table = tableFor([measurement('ours', 1, 1), measurement('theirs', 1, null)], ['ours', 'theirs']);
  expect(table).toContain('| first backup | CPU time, server, s | 1.00 | 0.00 |  |');
});

test('phases that were not measured have no rows', () => {
  expect(tableFor([measurement('ours', 1, 1)], ['ours'])).not.toContain('restore');
});
