import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import type { IndexConnection } from './connection.ts';
import { insertObject, type NewObject } from './objects.store.ts';

/**
 * What retention looks at, and how snapshots are marked as deleted. Whoever plans looks first; whoever marks looks
 * again, in the transaction that does it.
 */

/** SQL of a snapshot's lock: the receipt's, or a later one when the tenant's lock time was made longer since. */
export const LOCKED_UNTIL = 'max(locked_until_ms, received_ms + (SELECT lock_ms FROM vault))';

/** SQL that is true while a session that lives goes on from the snapshot; wants `@nowMs`. */
export const IS_HELD = `EXISTS (SELECT 1 FROM sessions WHERE is_open = 1 AND held_snapshot = snapshots.snapshot_id
  AND lease_until_ms >= @nowMs AND opened_ms > @nowMs - ${LIMITS.sessionAgeMaxMs})`;

const SIGNER_PLACE = 8;
const SIGNER_BYTES = 16;

/** A snapshot with all that retention has to know of it. */
export interface RetainedRow {
  readonly number: number;
  readonly snapshotId: string;
  readonly chain: number;
  readonly deviceId: string;
  readonly setId: string;
  readonly sequence: number;
  readonly receivedMs: number;
  readonly lockedUntilMs: number;
  readonly isComplete: number;
  readonly isHeld: number;
  readonly isBroughtBack: number;
  readonly deletedMs: number | null;
  readonly deleteReason: string | null;
  readonly contentUntilMs: number | null;
  readonly isGone: number;
  /** Who signed it, as `signerId` names keys. */
  readonly signer: string;
  /** Ids that it can't be restored without, with commas between; null without any. */
  readonly requires: string | null;
}

/** Snapshots of all sets by number, deleted and gone ones too. */
export function listRetained(
  index: IndexConnection,
  input: { after: number; limit: number; nowMs: number },
): RetainedRow[] {
  return index.all<RetainedRow>(
    `SELECT snapshots.number, snapshot_id AS snapshotId, chain, chains.device_id AS deviceId, set_id AS setId, sequence,
       received_ms AS receivedMs, ${LOCKED_UNTIL} AS lockedUntilMs, is_complete AS isComplete, ${IS_HELD} AS isHeld,
       is_brought_back AS isBroughtBack, deleted_ms AS deletedMs, delete_reason AS deleteReason,
       content_until_ms AS contentUntilMs, tombstone IS NOT NULL AS isGone,
       lower(hex(substr(bytes, ${SIGNER_PLACE + 1}, ${SIGNER_BYTES}))) AS signer,
       (SELECT group_concat(required) FROM snapshot_requires WHERE number = snapshots.number) AS requires
     FROM snapshots JOIN chains USING (chain) JOIN objects USING (number)
     WHERE snapshots.number > @after ORDER BY snapshots.number LIMIT @limit`,
    input,
  );
}

/** The devices of the newest roster with the keys that it gives them. */
export function listRosterKeys(index: IndexConnection): { deviceId: string; signingKey: string }[] {
  return index.all('SELECT device_id AS deviceId, signing_key AS signingKey FROM roster_devices');
}

/** The newest retention settings, as their objects have them. */
export function listRetentionSettings(index: IndexConnection): Uint8Array[] {
  const sql = 'SELECT bytes FROM retention_settings JOIN objects ON number = object ORDER BY number';
  return index.all<{ bytes: Uint8Array }>(sql).map(({ bytes }) => bytes);
}

/** The key of the next object of kind `rule`: each needs one of its own. */
export function nextRuleKey(index: IndexConnection): string {
  const sql = "SELECT coalesce(max(number), 0) AS last FROM objects WHERE kind = 'rule'";
  return String((index.get<{ last: number }>(sql) as { last: number }).last + 1);
}

/** Adds a retention setting, which counts for its target from then on; empty ids are of the default. */
export function recordRetentionSetting(
  index: IndexConnection,
  input: { object: NewObject; deviceId: string; setId: string },
): void {
  insertObject(index, input.object);
  index.run(
    `INSERT INTO retention_settings (device_id, set_id, object) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET object = excluded.object`,
    input.deviceId,
    input.setId,
    input.object.number,
  );
}

interface MarkRow {
  readonly number: number;
  readonly chain: number;
  readonly snapshotId: string;
  readonly isComplete: number;
  readonly isHead: number;
  readonly isHeld: number;
  readonly isGone: number;
  readonly isDeleted: number;
  readonly isBroughtBack: number;
  readonly lockedUntilMs: number;
}

const MARK_QUERY = `
  SELECT number, chain, snapshot_id AS snapshotId, is_complete AS isComplete, sequence = head_sequence AS isHead,
    ${IS_HELD} AS isHeld, tombstone IS NOT NULL AS isGone, deleted_ms IS NOT NULL AS isDeleted,
    is_brought_back AS isBroughtBack, ${LOCKED_UNTIL} AS lockedUntilMs
  FROM snapshots JOIN chains USING (chain)`;

function findForMark(index: IndexConnection, input: { snapshotId: string; nowMs: number }): MarkRow {
  const { snapshotId, nowMs } = input;
  const row = index.get<MarkRow>(`${MARK_QUERY} WHERE snapshot_id = @snapshotId`, { snapshotId, nowMs });
  if (row === undefined) throw new CofreError('not_found', { what: `snapshot ${snapshotId}` });
  return row;
}

function refuseLocked({ snapshotId, lockedUntilMs }: MarkRow, nowMs: number): void {
  if (nowMs >= lockedUntilMs) return;
  throw new CofreError('locked', { snapshot: snapshotId, until: new Date(lockedUntilMs).toISOString() });
}

/** @param outside a chain whose own snapshots may require it, because they go with it; 0 for none */
function refuseRequired(index: IndexConnection, { snapshotId }: MarkRow, outside = 0): void {
  const other = index.get<{ snapshotId: string }>(
    `SELECT snapshot_id AS snapshotId FROM snapshot_requires JOIN snapshots USING (number)
     WHERE required = ? AND deleted_ms IS NULL AND chain != ? LIMIT 1`,
    snapshotId,
    outside,
  );
  if (other !== undefined) {
    throw new CofreError('snapshot_required', { snapshot: snapshotId, other: other.snapshotId });
  }
}

function refuseLastComplete(index: IndexConnection, row: MarkRow): void {
  if (row.isComplete === 0) return;
  const other = index.get(
    'SELECT 1 FROM snapshots WHERE chain = ? AND is_complete = 1 AND deleted_ms IS NULL AND number != ? LIMIT 1',
    row.chain,
    row.number,
  );
  if (other === undefined) throw new CofreError('last_complete', { snapshot: row.snapshotId });
}

function mark(index: IndexConnection, row: MarkRow, input: { nowMs: number; reason: string }): void {
  index.run(
    `UPDATE snapshots SET deleted_ms = @nowMs, delete_reason = @reason, is_brought_back = 0,
       content_until_ms = max(@nowMs + (SELECT soft_delete_ms FROM vault), ${LOCKED_UNTIL})
     WHERE number = @number`,
    { number: row.number, nowMs: input.nowMs, reason: input.reason },
  );
}

/**
 * Marks what a rule let go of. What must stay for a reason that came up since it was planned is left alone.
 * @returns how many were marked
 */
export function markByRule(
  index: IndexConnection,
  input: { snapshotIds: readonly string[]; nowMs: number; reason: string },
): number {
  let marked = 0;
  for (const snapshotId of input.snapshotIds) {
    const row = findForMark(index, { snapshotId, nowMs: input.nowMs });
    const stays = row.isDeleted === 1 || row.isHead === 1 || row.isHeld === 1 || row.isBroughtBack === 1;
    if (stays || isRefused(() => refuseToDelete(index, row, input.nowMs))) continue;
    mark(index, row, input);
    marked += 1;
  }
  return marked;
}

function refuseToDelete(index: IndexConnection, row: MarkRow, nowMs: number): void {
  refuseLocked(row, nowMs);
  refuseRequired(index, row);
  refuseLastComplete(index, row);
}

function isRefused(check: () => void): boolean {
  try {
    check();
    return false;
  } catch (error) {
    if (error instanceof CofreError) return true;
    throw error;
  }
}

/**
 * Marks one snapshot because a person wants it; one that is deleted already is fine. A dry run only checks.
 * @throws CofreError `not_found`, `snapshot_gone`, `locked`, `snapshot_required`, `last_complete`
 */
export function markByPerson(
  index: IndexConnection,
  input: { snapshotId: string; nowMs: number; reason: string; isDryRun: boolean },
): void {
  const row = findForMark(index, input);
  if (row.isGone === 1) throw new CofreError('snapshot_gone', { snapshot: row.snapshotId });
  if (row.isDeleted === 1) return;
  refuseToDelete(index, row, input.nowMs);
  if (!input.isDryRun) mark(index, row, input);
}

/**
 * Marks all snapshots of a set: it is given up as a whole, or not at all.
 * @returns the ids that were marked
 * @throws CofreError `not_found` for a set without any, `locked`, `snapshot_required` by one of another set
 */
export function markSet(
  index: IndexConnection,
  input: { deviceId: string; setId: string; nowMs: number; reason: string; isDryRun: boolean },
): string[] {
  const { deviceId, setId, nowMs } = input;
  const rows = index.all<MarkRow>(
    `${MARK_QUERY} WHERE device_id = @deviceId AND set_id = @setId AND deleted_ms IS NULL ORDER BY sequence DESC`,
    { deviceId, setId, nowMs },
  );
  if (rows.length === 0) throw new CofreError('not_found', { what: `set with snapshots: ${setId}` });
  for (const row of rows) {
    refuseLocked(row, nowMs);
    refuseRequired(index, row, row.chain);
  }
  if (!input.isDryRun) for (const row of rows) mark(index, row, input);
  return rows.map(({ snapshotId }) => snapshotId);
}

/**
 * Brings a deleted snapshot back, with those that it can't be restored without. From then on no rule deletes them.
 * @returns the ids that came back; none when it was not deleted
 * @throws CofreError `not_found`, `snapshot_gone` also when something that it requires is gone
 */
export function bringBack(index: IndexConnection, input: { snapshotId: string; nowMs: number }): string[] {
  const wanted = new Set([input.snapshotId]);
  const back: string[] = [];
  for (const snapshotId of wanted) {
    const row = findForMark(index, { snapshotId, nowMs: input.nowMs });
    if (row.isGone === 1) throw new CofreError('snapshot_gone', { snapshot: snapshotId });
    const requires = index.all<{ required: string }>(
      'SELECT required FROM snapshot_requires WHERE number = ?',
      row.number,
    );
    for (const { required } of requires) wanted.add(required);
    if (row.isDeleted === 0) continue;
    index.run(
      `UPDATE snapshots SET deleted_ms = NULL, delete_reason = NULL, content_until_ms = NULL, is_brought_back = 1
       WHERE number = ?`,
      row.number,
    );
    back.push(snapshotId);
  }
  return back;
}

export interface SetCounts {
  readonly deviceId: string;
  readonly setId: string;
  /** Stored length of what the newest version needs, and of what only earlier ones need. */
  readonly headBytes: number;
  readonly pastBytes: number;
  /** Those whose content is there. */
  readonly snapshots: number;
}

/** What each set takes, `limit` sets at most, from the one after a chain's number on. */
export function countSets(
  index: IndexConnection,
  input: { after: number; limit: number },
): (SetCounts & { chain: number })[] {
  return index.all(
    `SELECT chain, device_id AS deviceId, set_id AS setId, head_bytes AS headBytes, past_bytes AS pastBytes,
       (SELECT count(*) FROM snapshots WHERE snapshots.chain = chains.chain AND tombstone IS NULL) AS snapshots
     FROM chains WHERE chain > ? ORDER BY chain LIMIT ?`,
    input.after,
    input.limit,
  );
}
