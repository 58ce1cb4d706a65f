import type { IndexConnection } from './connection.ts';
import { noteDamage } from './damages.store.ts';
import type { ObjectSummary } from './objects.store.ts';

/** Objects whose files were read longest ago, if that was before `dueMs`. */
export function listObjectsToScrub(
  index: IndexConnection,
  input: { dueMs: number; limit: number },
): ObjectSummary[] {
  return index.all<ObjectSummary>(
    `SELECT number, kind, key, sha256, bytes FROM objects WHERE coalesce(last_verified_ms, 0) < ?
     ORDER BY coalesce(last_verified_ms, 0), number LIMIT ?`,
    input.dueMs,
    input.limit,
  );
}

/** These were read and compared. */
export function finishObjectScrub(
  index: IndexConnection,
  input: { numbers: readonly number[]; nowMs: number },
): void {
  for (const number of input.numbers) {
    index.run('UPDATE objects SET last_verified_ms = ? WHERE number = ?', input.nowMs, number);
  }
}

/**
 * Notes an object that was altered or gone. What can't be mended is noted once, until it is.
 * @param row what the row has to say from now on, when the row is what was altered
 */
export function noteObjectDamage(
  index: IndexConnection,
  input: {
    number: number;
    what: string;
    nowMs: number;
    isMended: boolean;
    row: { sha256: Uint8Array; bytes: Uint8Array } | null;
  },
): void {
  const { number, what, nowMs, isMended, row } = input;
  if (row !== null) {
    index.run('UPDATE objects SET sha256 = ?, bytes = ? WHERE number = ?', row.sha256, row.bytes, number);
  }
  const wasOpen =
    index.get('SELECT 1 FROM damages WHERE object = ? AND healed_ms IS NULL', number) !== undefined;
  if (wasOpen) {
    if (isMended)
      index.run('UPDATE damages SET healed_ms = ? WHERE object = ? AND healed_ms IS NULL', nowMs, number);
    return;
  }
  const healedMs = isMended ? nowMs : null;
  noteDamage(index, {
    what,
    foundMs: nowMs,
    pack: null,
    domain: null,
    chunkId: null,
    object: number,
    healedMs,
  });
}
