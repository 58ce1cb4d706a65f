import { CofreError } from '@cofre/shared/errors';
import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import type { IndexConnection } from './connection.ts';
import { insertObject, type NewObject } from './objects.store.ts';
import { IS_HELD, LOCKED_UNTIL } from './retention.store.ts';

/**
 * How the content of deleted snapshots goes. A tombstone is made durable first; its row marks the snapshot as being
 * released. Then rows that hold chunks for it alone go, some in each transaction, and a chunk that nothing holds any
 * more becomes loose. Between two transactions the index is sound; whoever comes next goes on.
 */

/**
 * Deleted, its delay and its lock over, no living session on it, and nothing with content requires it. A snapshot that
 * is deleted itself counts too: it may still be brought back.
 */
const IS_DUE = `deleted_ms IS NOT NULL AND tombstone IS NULL AND content_until_ms <= @nowMs
  AND ${LOCKED_UNTIL} <= @nowMs AND NOT ${IS_HELD}
  AND NOT EXISTS (SELECT 1 FROM snapshot_requires JOIN snapshots AS other USING (number)
    WHERE required = snapshots.snapshot_id AND other.tombstone IS NULL)`;

export interface DueSnapshot {
  readonly snapshotId: string;
  readonly deletedMs: number;
  readonly deleteReason: string;
}

/** Snapshots whose content may go now, the oldest first. */
export function listDue(index: IndexConnection, input: { nowMs: number; limit: number }): DueSnapshot[] {
  return index.all<DueSnapshot>(
    `SELECT snapshot_id AS snapshotId, deleted_ms AS deletedMs, delete_reason AS deleteReason FROM snapshots
     WHERE ${IS_DUE} ORDER BY number LIMIT @limit`,
    input,
  );
}

/**
 * Takes the tombstones of snapshots that are still due.
 * @returns false, and nothing has changed, when one of them is not any more
 */
export function recordTombstones(
  index: IndexConnection,
  input: { objects: readonly NewObject[]; nowMs: number },
): boolean {
  const isDue = index.statement(`SELECT 1 FROM snapshots WHERE snapshot_id = @snapshotId AND ${IS_DUE}`);
  const { nowMs } = input;
  if (input.objects.some(({ key }) => isDue.get({ snapshotId: key, nowMs }) === undefined)) return false;
  for (const object of input.objects) {
    insertObject(index, object);
    index.run(
      'UPDATE snapshots SET tombstone = ?, is_releasing = 1 WHERE snapshot_id = ?',
      object.number,
      object.key,
    );
    // What comes next in a set whose head is gone has no head to be compared with: it is sent whole.
    index.run(
      'UPDATE chains SET refset_state = ?, refset_count = 0 WHERE head_snapshot = ?',
      RefsetHash.empty().state(),
      object.key,
    );
  }
  index.run('UPDATE vault SET liveness_epoch = liveness_epoch + 1');
  return true;
}

/**
 * The head of a set may go between two steps of a commit that goes on from it.
 * @throws CofreError `refset_mismatch`, which lets the device send its refset whole
 */
export function requireHeadForDelta(index: IndexConnection, chain: number | null): void {
  if (chain === null || !isHeadGone(index, chain)) return;
  throw new CofreError('refset_mismatch', { problem: 'the snapshot before is gone' });
}

function isHeadGone(index: IndexConnection, chain: number): boolean {
  const sql = `SELECT tombstone IS NOT NULL AS isGone FROM chains JOIN snapshots
    ON snapshots.chain = chains.chain AND sequence = head_sequence WHERE chains.chain = ?`;
  return index.get<{ isGone: number }>(sql, chain)?.isGone === 1;
}

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** A snapshot without content, and the nearest ones with content before and after it in its chain. */
interface Gap {
  readonly number: number;
  readonly chain: number;
  readonly sequence: number;
  readonly previous: number;
  readonly next: number;
  readonly headSequence: number;
}

function firstGap(index: IndexConnection): Gap | undefined {
  return index.get<Gap>(
    `SELECT number, gone.chain, gone.sequence, head_sequence AS headSequence,
       coalesce((SELECT max(sequence) FROM snapshots
         WHERE chain = gone.chain AND sequence < gone.sequence AND tombstone IS NULL), 0) AS previous,
       coalesce((SELECT min(sequence) FROM snapshots
         WHERE chain = gone.chain AND sequence > gone.sequence AND tombstone IS NULL), ${NO_LIMIT}) AS next
     FROM snapshots AS gone JOIN chains USING (chain) WHERE is_releasing = 1 ORDER BY number LIMIT 1`,
  );
}

/** How far a snapshot was released: where the next step goes on, or begins anew after a crash. */
export interface ReleasePlace {
  readonly number: number;
  readonly ending: number;
}

/**
 * Lets go of some of what only snapshots without content held.
 * @param input.after what the step before gave as `place`; null at first
 * @returns the stored length of what became loose, and whether nothing is left to do
 */
export function releaseStep(
  index: IndexConnection,
  input: { rowsMax: number; after: ReleasePlace | null },
): { freedBytes: number; isDone: boolean; place: ReleasePlace | null } {
  const gap = firstGap(index);
  if (gap === undefined) return { freedBytes: 0, isDone: true, place: null };
  const counts: Counts = { headBytes: 0, pastBytes: 0, freedBytes: 0 };
  const headRows = gap.sequence === gap.headSequence ? releaseHead(index, gap, counts, input.rowsMax) : 0;
  const from = input.after?.number === gap.number ? input.after.ending : gap.sequence;
  const ending = releasePast(index, gap, counts, { from, rowsMax: input.rowsMax - headRows });
  index.run(
    'UPDATE chains SET head_bytes = head_bytes + ?, past_bytes = past_bytes + ? WHERE chain = ?',
    counts.headBytes,
    counts.pastBytes,
    gap.chain,
  );
  if (ending === null) index.run('UPDATE snapshots SET is_releasing = 0 WHERE number = ?', gap.number);
  const place = ending === null ? null : { number: gap.number, ending };
  return { freedBytes: counts.freedBytes, isDone: false, place };
}

/** Changes of a chain's counters, and what nothing holds any more. */
interface Counts {
  headBytes: number;
  pastBytes: number;
  freedBytes: number;
}

interface RefRow {
  readonly chunk: number;
  readonly fromSequence: number;
}

/** What a head without content held is past, as far as a snapshot before it needs it too. */
function releaseHead(index: IndexConnection, gap: Gap, counts: Counts, rowsMax: number): number {
  const rows = index.all<RefRow>(
    'SELECT chunk, from_sequence AS fromSequence FROM head_refs WHERE chain = ? ORDER BY chunk LIMIT ?',
    gap.chain,
    rowsMax,
  );
  for (const { chunk, fromSequence } of rows) {
    index.run('DELETE FROM head_refs WHERE chain = ? AND chunk = ?', gap.chain, chunk);
    if (fromSequence <= gap.previous) {
      index.run(
        'INSERT INTO past_refs (chain, chunk, from_sequence, to_sequence) VALUES (?, ?, ?, ?)',
        gap.chain,
        chunk,
        fromSequence,
        gap.sequence,
      );
    }
    const length = lengthOf(index, chunk);
    counts.headBytes -= length;
    if (isInPast(index, gap.chain, chunk)) counts.pastBytes += length;
    else counts.freedBytes += loosen(index, chunk, length);
  }
  return rows.length;
}

/**
 * Rows that end after the snapshot, at the next one with content at the latest, and begin after the one before. Each
 * ending is sought by itself: rows that end there and began earlier are not looked at.
 * @returns the ending up to which all is done, null when that is the last one
 */
function releasePast(
  index: IndexConnection,
  gap: Gap,
  counts: Counts,
  step: { from: number; rowsMax: number },
): number | null {
  let place = step.from;
  for (let left = step.rowsMax; left > 0;) {
    const ending = nextEnding(index, gap, place);
    if (ending === null) return null;
    const rows = index.all<RefRow>(
      `SELECT chunk, from_sequence AS fromSequence FROM past_refs
       WHERE chain = ? AND to_sequence = ? AND from_sequence > ? ORDER BY from_sequence, chunk LIMIT ?`,
      gap.chain,
      ending,
      gap.previous,
      left,
    );
    for (const row of rows) releasePastRow(index, gap.chain, row, counts);
    if (rows.length < left) place = ending;
    // An ending without rows costs a look as well.
    left -= Math.max(1, rows.length);
  }
  return place;
}

function nextEnding(index: IndexConnection, { chain, next }: Gap, after: number): number | null {
  return (
    index.get<{ ending: number | null }>(
      'SELECT min(to_sequence) AS ending FROM past_refs WHERE chain = ? AND to_sequence > ? AND to_sequence <= ?',
      chain,
      after,
      next,
    )?.ending ?? null
  );
}

function releasePastRow(index: IndexConnection, chain: number, row: RefRow, counts: Counts): void {
  const { chunk, fromSequence } = row;
  index.run(
    'DELETE FROM past_refs WHERE chain = ? AND chunk = ? AND from_sequence = ?',
    chain,
    chunk,
    fromSequence,
  );
  const isCounted = index.get('SELECT 1 FROM head_refs WHERE chain = ? AND chunk = ?', chain, chunk);
  if (isCounted !== undefined || isInPast(index, chain, chunk)) return;
  const length = lengthOf(index, chunk);
  counts.pastBytes -= length;
  counts.freedBytes += loosen(index, chunk, length);
}

function isInPast(index: IndexConnection, chain: number, chunk: number): boolean {
  return (
    index.get('SELECT 1 FROM past_refs WHERE chain = ? AND chunk = ? LIMIT 1', chain, chunk) !== undefined
  );
}

function lengthOf(index: IndexConnection, chunk: number): number {
  return (
    index.get<{ length: number }>('SELECT length FROM chunks WHERE chunk = ?', chunk) as { length: number }
  ).length;
}

/** A chunk that nothing holds is loose; gives its length if so, else 0. */
function loosen(index: IndexConnection, chunk: number, length: number): number {
  const isHeld =
    index.get('SELECT 1 FROM head_refs WHERE chunk = ? LIMIT 1', chunk) !== undefined ||
    index.get('SELECT 1 FROM past_refs WHERE chunk = ? LIMIT 1', chunk) !== undefined;
  if (isHeld) return 0;
  index.run('INSERT INTO loose_chunks (chunk) VALUES (?) ON CONFLICT DO NOTHING', chunk);
  return length;
}
