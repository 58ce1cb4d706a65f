import { randomBytes } from 'node:crypto';
import { LIMITS } from '@cofre/shared/limits';
import { expect, test } from 'vitest';
import { MissingIds } from './missing-ids.ts';

test('an id counts once, however often it is named', () => {
  const missing = new MissingIds();
  const ids = randomBytes(3 * 32);
  missing.add(ids);
  missing.add(ids.subarray(0, 64));
  expect(missing.total).toBe(3);
  expect(missing.ids().join('')).toBe(ids.toString('hex'));
});

test('of more ids than are reported the number is kept', () => {
  const missing = new MissingIds();
  missing.add(randomBytes((LIMITS.missingIdsReportedMax + 5) * 32));
  expect(missing.total).toBe(LIMITS.missingIdsReportedMax + 5);
  expect(missing.ids()).toHaveLength(LIMITS.missingIdsReportedMax);
});
