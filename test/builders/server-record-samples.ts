import type { RetentionSetting } from '@cofre/server/vault/objects/retention-setting';
import type { TenantDescription } from '@cofre/server/vault/objects/tenant-description';
import type { Tombstone } from '@cofre/server/vault/objects/tombstone';
import { parseRetentionRule, RULE_PARTS } from '@cofre/server/policy/retention-rule';
import { DEVICE_ID, SAMPLE_RECEIPT, SET_ID, TENANT_ID } from './format-samples.ts';

const { receivedNs } = SAMPLE_RECEIPT;
const DAY_MS = 86_400_000;

/** What a server writes into its store by itself, with every field filled. */
export const SAMPLE_DESCRIPTION: TenantDescription = {
  tenantId: TENANT_ID,
  describedNs: receivedNs,
  quotaBytes: 1_048_576_000,
  name: 'Panadería Sánchez',
  lockMs: 7 * DAY_MS,
  softDeleteMs: 14 * DAY_MS,
  deletionDueMs: 1_775_000_000_000,
};

export const SAMPLE_RETENTION: RetentionSetting = {
  tenantId: TENANT_ID,
  setNs: receivedNs,
  target: { deviceId: DEVICE_ID, setId: SET_ID },
  choice: {
    mode: 'rule',
    timeZone: 'America/Santiago',
    rule: parseRetentionRule(Object.fromEntries(RULE_PARTS.map((part, place) => [part, place + 1]))),
  },
};

export const SAMPLE_TOMBSTONE: Tombstone = {
  snapshotId: SAMPLE_RECEIPT.snapshotId,
  deletedNs: receivedNs,
  droppedNs: receivedNs + 1_209_600_000_000_000n,
  reason: 'rule',
};
