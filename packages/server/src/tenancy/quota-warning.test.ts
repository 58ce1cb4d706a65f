import { expect, test } from 'vitest';
import { quotaWarningOf, warnedPercent } from './quota-warning.ts';

const MIB = 1024 * 1024;

test.each([
  [0, 0],
  [799.9, 0],
  [800, 80],
  [899.9, 80],
  [900, 90],
  // 4 MiB and 2 % at the end of 1000 MiB are kept for catalogs.
  [975.9, 90],
  [976, 100],
  [1000, 100],
  [2000, 100],
])('of 1000 MiB %s are used: %s', (usedMib, percent) => {
  expect(warnedPercent(Math.round(usedMib * MIB), 1000 * MIB)).toBe(percent);
});

test('a warning lasts since it was noted, and a new one since now', () => {
  const use = { usedBytes: 85 * MIB, quotaBytes: 100 * MIB };
  const noted = { warnedPercent: 80, warnedMs: 1000 };
  expect(quotaWarningOf(noted, use, 5000)).toEqual({ percent: 80, since: new Date(1000).toISOString() });
  const more = { ...use, usedBytes: 92 * MIB };
  expect(quotaWarningOf(noted, more, 5000)).toEqual({ percent: 90, since: new Date(5000).toISOString() });
  expect(quotaWarningOf(noted, { ...use, usedBytes: 0 }, 5000)).toBeNull();
});
