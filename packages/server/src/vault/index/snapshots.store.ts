import type { IndexConnection } from './connection.ts';
import { LOCKED_UNTIL } from './retention.store.ts';

export interface SnapshotListRow {
  readonly number: number;
  readonly snapshotId: string;
  readonly deviceId: string;
  readonly setId: string;
  readonly receivedMs: number;
  readonly lockedUntilMs: number;
  readonly contentUntilMs: number | null;
  /** Its content is gone. */
  readonly isStub: number;
  readonly manifest: Uint8Array;
}

/** Manifests of one page together: a page ends early rather than being larger. */
const PAGE_BYTES_MAX = 4 * 1024 * 1024;

/** When the last lock of a snapshot ends; 0 when there is none. */
export function lastLockMs(index: IndexConnection): number {
  const sql = `SELECT coalesce(max(${LOCKED_UNTIL}), 0) AS lastMs FROM snapshots WHERE tombstone IS NULL`;
  return (index.get<{ lastMs: number }>(sql) as { lastMs: number }).lastMs;
}

/** Snapshots by number, of one device and set or of all. `isLast` says that no more follow. */
export function listSnapshots(
  index: IndexConnection,
  input: { after: number; limit: number; deviceId: string | null; setId: string | null },
): { rows: SnapshotListRow[]; isLast: boolean } {
  const cursor = index
    .statement(
      `SELECT number, snapshot_id AS snapshotId, chains.device_id AS deviceId, set_id AS setId,
         received_ms AS receivedMs, ${LOCKED_UNTIL} AS lockedUntilMs, content_until_ms AS contentUntilMs,
         tombstone IS NOT NULL AS isStub, bytes AS manifest
       FROM snapshots JOIN chains USING (chain) JOIN objects USING (number)
       WHERE number > @after AND (@deviceId IS NULL OR chains.device_id = @deviceId)
         AND (@setId IS NULL OR set_id = @setId)
       ORDER BY number LIMIT @limit`,
    )
    .iterate({ ...input, limit: input.limit + 1 });
  const rows: SnapshotListRow[] = [];
  let bytes = 0;
  for (const row of cursor as IterableIterator<SnapshotListRow>) {
    bytes += row.manifest.length;
    const isFull = rows.length === input.limit || (rows.length > 0 && bytes > PAGE_BYTES_MAX);
    if (isFull) return { rows, isLast: false };
    rows.push(row);
  }
  return { rows, isLast: true };
}
