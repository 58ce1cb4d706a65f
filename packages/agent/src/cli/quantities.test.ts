import { expect, test } from 'vitest';
import { formatBytes, formatDuration, formatMoment } from './quantities.ts';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1024 * 1024 - 1, '1.0 MiB'],
  [52_428_800, '50.0 MiB'],
  [1.5 * 1024 ** 3, '1.5 GiB'],
  [5000 * 1024 ** 5, '5000.0 PiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '0.0 s'],
  [9940, '9.9 s'],
  [9960, '10 s'],
  [59_700, '1 min 0 s'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
])('%i ms are %s', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});

test('a moment is shown in the zone of this computer', () => {
  expect(formatMoment(new Date(2026, 2, 4, 5, 6, 7))).toBe('2026-03-04 05:06:07');
});
