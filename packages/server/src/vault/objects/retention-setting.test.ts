import { expect, test } from 'vitest';
import { newRandomId, type DeviceId, type SetId, type SnapshotId, type TenantId } from '@cofre/shared/ids';
import { parseRetentionRule, RULE_PARTS } from '../../policy/retention-rule.ts';
import {
  decodeRetentionSetting,
  encodeRetentionSetting,
  type RetentionSetting,
} from './retention-setting.ts';
import { decodeTenantDescription, encodeTenantDescription } from './tenant-description.ts';
import { decodeTombstone, encodeTombstone } from './tombstone.ts';

const tenantId = newRandomId<TenantId>();
const target = { deviceId: newRandomId<DeviceId>(), setId: newRandomId<SetId>() };
const everyPart = parseRetentionRule(Object.fromEntries(RULE_PARTS.map((part, place) => [part, place + 1])));

test.each<RetentionSetting>([
  { tenantId, setNs: 1n, target: null, choice: { mode: 'everything' } },
  { tenantId, setNs: 2n, target, choice: { mode: 'default' } },
  { tenantId, setNs: 3n, target, choice: { mode: 'rule', rule: everyPart, timeZone: 'America/Santiago' } },
  {
    tenantId,
    setNs: 4n,
    target: null,
    choice: { mode: 'rule', rule: parseRetentionRule({ yearly: 1 }), timeZone: 'UTC' },
  },
])('a retention setting comes back as it was', (setting) => {
  expect(decodeRetentionSetting(encodeRetentionSetting(setting))).toEqual(setting);
});

test('a tombstone comes back as it was', () => {
  const snapshotId = 'ab'.repeat(32) as SnapshotId;
  const tombstone = { snapshotId, deletedNs: 5n, droppedNs: 6_000_000_000n, reason: 'rule' };
  expect(decodeTombstone(encodeTombstone(tombstone))).toEqual(tombstone);
});

test('a tenant description comes back as it was', () => {
  const known = { tenantId, describedNs: 7n, quotaBytes: 8, name: 'ñ', lockMs: 9, softDeleteMs: 10 };
  for (const deletionDueMs of [null, 1_772_600_000_000]) {
    const description = { ...known, deletionDueMs };
    expect(decodeTenantDescription(encodeTenantDescription(description))).toEqual(description);
  }
});
