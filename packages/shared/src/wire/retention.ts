import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { byteCount, deviceId, instant, setId, snapshotId } from './fields.ts';

/** What the command line asks and hears about keeping and deleting snapshots, over the local socket. */

const count = z.number().int().nonnegative();

export const retentionRule = z.object({
  keepLast: count,
  keepDays: count,
  hourly: count,
  daily: count,
  weekly: count,
  monthly: count,
  yearly: count,
  changedAndDeletedDays: count,
});

/** `default`: as the tenant's default says; `everything`: no rule; `rule`: what its parts keep. */
export const retentionChoice = z.discriminatedUnion('mode', [
  z.object({ mode: z.literal('default') }),
  z.object({ mode: z.literal('everything') }),
  z.object({ mode: z.literal('rule'), rule: retentionRule, timeZone: z.string().max(100) }),
]);

const reference = z.string().min(1).max(LIMITS.nameCharactersMax);

/** Sets that are meant; without device and set: all of them, or the default of all. */
export const retentionScope = z.object({
  device: reference.optional(),
  set: reference.optional(),
});
export const retentionSetRequest = retentionScope.extend({ choice: retentionChoice });
/** With a choice: what it would do, instead of the one that is set. */
export const retentionPreviewRequest = retentionScope.extend({ choice: retentionChoice.optional() });

export const setRetention = z.object({
  deviceId,
  deviceName: z.string(),
  setId,
  choice: retentionChoice,
});
export const retentionOverview = z.object({
  /** Nothing and nobody deletes a snapshot that was received less than this ago. */
  lockMs: count,
  /** How long a deletion can be undone. */
  softDeleteMs: count,
  byDefault: retentionChoice,
  sets: z.array(setRetention),
});

export const retainedSnapshot = z.object({
  snapshotId,
  number: z.number().int(),
  deviceId,
  deviceName: z.string(),
  setId,
  received: instant,
  lockedUntil: instant,
  isComplete: z.boolean(),
  state: z.enum(['kept', 'deleted', 'gone']),
  /** Whether the rule lets it stay. */
  stays: z.boolean(),
  /** Why: stable codes, each with the time at which it ends by itself. */
  reasons: z.array(z.object({ code: z.string(), until: instant.nullable() })),
  /** Until when it stays, if that is known; or when its content goes. */
  until: instant.nullable(),
  deleteReason: z.string().nullable(),
});
export const retentionPreview = z.object({ items: z.array(retainedSnapshot), freedBytes: byteCount });

export const retentionMarked = z.object({ marked: count });

export const deleteSnapshotsRequest = retentionScope.extend({
  /** One snapshot: its id, the beginning of it, or its number. Without it: all of a set. */
  snapshot: reference.optional(),
  isDryRun: z.boolean(),
});
export const deletedSnapshots = z.object({
  snapshotIds: z.array(snapshotId),
  contentUntil: instant,
  freedBytes: byteCount,
});

export const undeleteRequest = z.object({ snapshot: reference });
export const undeletedSnapshots = z.object({ snapshotIds: z.array(snapshotId) });

export const retentionPeriods = z.object({ lockMs: count, softDeleteMs: count });
export const retentionPeriodsRequest = retentionPeriods.partial();

export type RetentionChoiceInput = z.output<typeof retentionChoice>;
export type RetentionScopeInput = z.output<typeof retentionScope>;
export type RetentionSetRequest = z.output<typeof retentionSetRequest>;
export type RetentionPreviewRequest = z.output<typeof retentionPreviewRequest>;
export type RetentionOverviewItem = z.output<typeof retentionOverview>;
export type RetainedSnapshotItem = z.output<typeof retainedSnapshot>;
export type RetentionPreviewItem = z.output<typeof retentionPreview>;
export type DeleteSnapshotsRequest = z.output<typeof deleteSnapshotsRequest>;
export type DeletedSnapshots = z.output<typeof deletedSnapshots>;
export type UndeletedSnapshots = z.output<typeof undeletedSnapshots>;
export type RetentionPeriods = z.output<typeof retentionPeriods>;
