import type {
  DeletedSnapshots,
  DeleteSnapshotsRequest,
  RetentionOverviewItem,
  RetentionPeriods,
  RetentionPreviewItem,
  RetentionPreviewRequest,
  RetentionSetRequest,
  UndeletedSnapshots,
} from '@cofre/shared/wire/retention';

/**
 * Keeping and deleting snapshots. A device is named as elsewhere, revoked ones too; a set by its id or the beginning of
 * it, because its name is sealed; a snapshot by its id, the beginning of it, or its number.
 */
export interface RetentionAdministration {
  overview(tenant: string): Promise<RetentionOverviewItem>;
  /** @throws CofreError `rule_keeps_nothing`, `invalid_request` */
  choose(tenant: string, request: RetentionSetRequest): Promise<RetentionOverviewItem>;
  /** What stays and goes, and why. It changes nothing. */
  preview(tenant: string, request: RetentionPreviewRequest): Promise<RetentionPreviewItem>;
  /** Deletes what rules let go of; it can be undone for a while. */
  apply(tenant: string): Promise<{ marked: number }>;
  /** @throws CofreError `locked`, `last_complete`, `snapshot_required`, `snapshot_gone` */
  deleteSnapshots(tenant: string, request: DeleteSnapshotsRequest): Promise<DeletedSnapshots>;
  /** @throws CofreError `snapshot_gone` */
  undelete(tenant: string, snapshot: string): Promise<UndeletedSnapshots>;
  /** @throws CofreError `lock_not_shortened`, `invalid_request` */
  setPeriods(tenant: string, periods: Partial<RetentionPeriods>): Promise<RetentionPeriods>;
}
