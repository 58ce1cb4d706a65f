import type { RetentionAdministration } from '@cofre/server/administration/retention-administration';
import { newRandomId, type DeviceId, type SetId, type SnapshotId } from '@cofre/shared/ids';
import type { RetainedSnapshotItem, RetentionChoiceInput } from '@cofre/shared/wire/retention';

const INSTANT = '2026-01-02T03:04:05.678Z';
const DAY_MS = 86_400_000;
const SET = { deviceId: newRandomId<DeviceId>(), deviceName: 'note\u202ebook', setId: newRandomId<SetId>() };
export const MEMORY_SNAPSHOT_ID = 'ab'.repeat(32) as SnapshotId;

/** What the last question was: the answers do not depend on it. */
export const asked: { last: object | null } = { last: null };
let choice: RetentionChoiceInput = { mode: 'everything' };

const ITEM: RetainedSnapshotItem = {
  ...SET,
  snapshotId: MEMORY_SNAPSHOT_ID,
  number: 7,
  received: INSTANT,
  lockedUntil: INSTANT,
  isComplete: true,
  state: 'kept',
  stays: false,
  reasons: [{ code: 'not_kept', until: null }],
  until: INSTANT,
  deleteReason: null,
};

/** Retention as a command line meets it: one tenant with one set and one snapshot that its rule lets go of. */
export const retentionInMemory: RetentionAdministration = {
  overview: async () => ({
    lockMs: 7 * DAY_MS,
    softDeleteMs: 14 * DAY_MS,
    byDefault: choice,
    sets: [{ ...SET, choice: { mode: 'default' } }],
  }),
  choose: async (tenant, request) => {
    asked.last = request;
    choice = request.choice;
    return retentionInMemory.overview(tenant);
  },
  preview: async (_, request) => {
    asked.last = request;
    return { items: [ITEM], freedBytes: 2048 };
  },
  apply: async () => ({ marked: 3 }),
  deleteSnapshots: async (_, request) => {
    asked.last = request;
    return { snapshotIds: [MEMORY_SNAPSHOT_ID], contentUntil: INSTANT, freedBytes: 1024 };
  },
  undelete: async () => ({ snapshotIds: [MEMORY_SNAPSHOT_ID] }),
  setPeriods: async (_, periods) => ({ lockMs: 7 * DAY_MS, softDeleteMs: 14 * DAY_MS, ...periods }),
};
