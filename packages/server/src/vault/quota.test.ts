import { LIMITS } from '@cofre/shared/limits';
import { expect, test } from 'vitest';
import { catalogHeadroomBytes, displayBytes } from './quota.ts';

test('the end of a quota is kept for catalogs, and never more than a tenth of it', () => {
  expect(catalogHeadroomBytes(LIMITS.quotaModuleBytes)).toBe(LIMITS.quotaModuleBytes / 10);
  expect(catalogHeadroomBytes(1e12)).toBe(2e10 + 4 * 1024 * 1024);
  expect(catalogHeadroomBytes(0)).toBe(0);
});

test('bytes are shown with a unit', () => {
  expect([0, 1023, 1024, 5.5 * 2 ** 20, 2 ** 60].map(displayBytes)).toEqual([
    '0 bytes',
    '1023 bytes',
    '1.0 KiB',
    '5.5 MiB',
    '1024.0 PiB',
  ]);
});
