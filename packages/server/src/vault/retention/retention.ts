import type { DeviceId, SetId, SnapshotId } from '@cofre/shared/ids';
import type { RetentionReason } from '../../policy/decide-retention.ts';
import type { SetCounts } from '../index/retention.store.ts';
import type { RetentionChoice, RetentionTarget } from '../objects/retention-setting.ts';
import type { Periods } from './periods.ts';

/** Why a snapshot was deleted: a rule let go of it, a person did not want it, or did not want its whole set. */
export const DELETE_REASONS = { rule: 'rule', person: 'person', set: 'set' } as const;

/** Sets that are meant: all, those of a device, or one. */
export interface RetentionScope {
  readonly deviceId?: DeviceId | undefined;
  readonly setId?: SetId | undefined;
}

/** What a set is kept by. */
export interface SetRetention {
  readonly deviceId: DeviceId;
  readonly setId: SetId;
  readonly choice: RetentionChoice;
}

export interface RetentionOverview extends Periods {
  readonly byDefault: RetentionChoice;
  /** Every set that has snapshots, those without a choice of their own included (`default`). */
  readonly sets: readonly SetRetention[];
}

/** `kept`; `deleted`: it can be brought back; `gone`: its content is no more. */
export type SnapshotState = 'kept' | 'deleted' | 'gone';

/** A snapshot, and why it stays or goes. */
export interface RetainedItem {
  readonly snapshotId: SnapshotId;
  readonly number: number;
  readonly deviceId: DeviceId;
  readonly setId: SetId;
  readonly sequence: number;
  readonly receivedMs: number;
  readonly lockedUntilMs: number;
  readonly isComplete: boolean;
  readonly state: SnapshotState;
  /** Whether the rule lets it stay; false for what is deleted or gone. */
  readonly stays: boolean;
  /** Why it stays, or goes: empty once it is deleted. */
  readonly reasons: readonly RetentionReason[];
  /** For what stays: until when, if that is known. For what goes: when its content goes. Null for what is gone. */
  readonly untilMs: number | null;
  readonly deleteReason: string | null;
}

export interface RetentionPreview {
  readonly items: readonly RetainedItem[];
  /** Stored length of what is freed when all is gone that is deleted now or would be. */
  readonly freedBytes: number;
}

/** Another choice than the one that is set, to see what it would do. */
export interface TriedChoice {
  readonly target: RetentionTarget;
  readonly choice: RetentionChoice;
}

export interface DeleteResult {
  readonly snapshotIds: readonly SnapshotId[];
  /** When their content goes, unless they are brought back before. */
  readonly contentUntilMs: number;
  readonly freedBytes: number;
}

export interface RetentionRun {
  /** Snapshots that rules let go of now. */
  readonly marked: number;
  /** Deleted snapshots whose time was over: their content is gone. */
  readonly dropped: number;
  /** Stored length of what nothing needs any more; a collection gives the space back. */
  readonly freedBytes: number;
}

/**
 * What a vault keeps and what it lets go of. Deleting is soft: a deleted snapshot can be restored and brought back
 * until its time is over. Within its lock time nothing here deletes a snapshot, whoever asks.
 */
export interface Retention {
  overview(): Promise<RetentionOverview>;
  /** @throws CofreError `not_found` for a set that has no snapshots */
  choose(target: RetentionTarget, choice: RetentionChoice): Promise<void>;
  /** What stays and goes by now, and why; it changes nothing. */
  preview(scope: RetentionScope, tried?: TriedChoice): Promise<RetentionPreview>;
  /** Marks what rules let go of as deleted. */
  apply(): Promise<{ marked: number }>;
  /** Lets go of what is deleted and whose time is over. */
  dropExpired(): Promise<{ dropped: number; freedBytes: number }>;
  /** Both of these, in bounded steps, safe to repeat: what a schedule calls. */
  runRetention(): Promise<RetentionRun>;

  /**
   * Deletes a snapshot because a person wants it. A dry run says what would happen.
   * @throws CofreError `not_found`, `snapshot_gone`, `locked`, `snapshot_required`, `last_complete`
   */
  deleteSnapshot(snapshotId: SnapshotId, isDryRun: boolean): Promise<DeleteResult>;
  /** Deletes all snapshots of a set, the last ones too. @throws CofreError `not_found`, `locked`, `snapshot_required` */
  deleteSet(deviceId: DeviceId, setId: SetId, isDryRun: boolean): Promise<DeleteResult>;
  /**
   * Brings a deleted snapshot back, with those that it requires; no rule deletes them again.
   * @returns what came back
   * @throws CofreError `not_found`, `snapshot_gone`
   */
  undelete(snapshotId: SnapshotId): Promise<readonly SnapshotId[]>;
  /** What sets take. */
  countSets(): Promise<readonly SetCounts[]>;
}
