import { LIMITS } from '@cofre/shared/limits';
import { packPath } from '../layout.ts';
import type { IndexConnection } from './connection.ts';

/**
 * The steps of a collection. Each is one bounded transaction that leaves the index sound: a process may end after any of
 * them, and the next collection goes on from there.
 */

/**
 * Condemns some of what is loose, in the present generation; what is condemned already keeps its time. When nothing is
 * left to condemn, the next generation begins: whoever opens a session from then on has not been told of these chunks,
 * except by a question that revives them.
 */
export function condemnLoose(
  index: IndexConnection,
  input: { nowMs: number; limit: number },
): { condemned: number; isDone: boolean } {
  const condemned = index.run(
    `UPDATE loose_chunks SET condemned_in = (SELECT generation FROM vault), condemned_ms = @nowMs
     WHERE chunk IN (SELECT chunk FROM loose_chunks WHERE condemned_in IS NULL LIMIT @limit)`,
    input,
  );
  const isDone = condemned < input.limit;
  if (isDone) index.run('UPDATE vault SET generation = generation + 1');
  return { condemned, isDone };
}

interface Condemned {
  readonly chunk: number;
  readonly condemnedMs: number;
  readonly domain: number;
  readonly pack: number;
  readonly length: number;
  readonly isHeld: number;
}

export type DropStep =
  | { readonly status: 'dropped'; readonly chunks: number; readonly bytes: number; readonly isDone: boolean }
  /** Commits are being prepared: they would have to start over. */
  | { readonly status: 'commits' };

/**
 * Drops some of what was condemned, if no session is open that was opened before its generation ended, its grace has
 * passed, and nothing holds it now. A dropped chunk has no rows any more; its bytes are dead in their pack.
 * @param input.isPatient whether to do nothing while commits are being prepared
 */
export function dropCondemned(
  index: IndexConnection,
  input: { nowMs: number; limit: number; isPatient: boolean },
): DropStep {
  if (input.isPatient && index.drafts.size > 0) return { status: 'commits' };
  const found = findDroppable(index, input);
  const dropped = found.filter(({ isHeld }) => isHeld === 0);
  for (const { chunk } of found) index.run('DELETE FROM loose_chunks WHERE chunk = ?', chunk);
  for (const row of dropped) dropChunk(index, row);
  const bytes = dropped.reduce((sum, { length }) => sum + length, 0);
  if (dropped.length > 0) {
    index.run('UPDATE vault SET used_bytes = used_bytes - ?, liveness_epoch = liveness_epoch + 1', bytes);
  }
  return { status: 'dropped', chunks: dropped.length, bytes, isDone: found.length < input.limit };
}

/** Oldest first, so that the first one whose grace has not passed ends the search. */
function findDroppable(index: IndexConnection, input: { nowMs: number; limit: number }): Condemned[] {
  const cursor = index
    .statement(
      `SELECT chunk, condemned_ms AS condemnedMs, domain, pack, length,
         EXISTS (SELECT 1 FROM head_refs WHERE head_refs.chunk = loose_chunks.chunk)
           OR EXISTS (SELECT 1 FROM past_refs WHERE past_refs.chunk = loose_chunks.chunk) AS isHeld
       FROM loose_chunks JOIN chunks USING (chunk)
       WHERE condemned_in < coalesce((SELECT min(generation) FROM sessions WHERE is_open = 1), 9007199254740991)
       ORDER BY condemned_in, condemned_ms LIMIT ?`,
    )
    .iterate(input.limit) as IterableIterator<Condemned>;
  const found: Condemned[] = [];
  for (const row of cursor) {
    if (row.condemnedMs > input.nowMs - LIMITS.condemnedGraceMs) break;
    found.push(row);
  }
  return found;
}

function dropChunk(index: IndexConnection, { chunk, domain, pack, length }: Condemned): void {
  index.run('DELETE FROM node_tables WHERE chunk = ?', chunk);
  index.run('DELETE FROM chunks WHERE chunk = ?', chunk);
  index.run('UPDATE packs SET dead_bytes = dead_bytes + ? WHERE number = ?', length, pack);
  index.run('UPDATE domains SET chunk_count = chunk_count - 1 WHERE domain = ?', domain);
}

/** A file that may be unlinked: its rows are gone, and its doomed row is there. */
export interface DoomedPack {
  readonly path: string;
  readonly length: number;
}

/**
 * Gives up some of the packs that no chunk points to. One that is younger than a session can be is kept: the device
 * that sent it may ask again what became of it.
 */
export function doomDeadPacks(
  index: IndexConnection,
  input: { receivedUntilMs: number; limit: number },
): { doomed: DoomedPack[]; isDone: boolean } {
  const rows = index.all<{ number: number; length: number }>(
    `SELECT number, length FROM packs
     WHERE ${DEAD_SHARE} >= ${LIMITS.repackDeadPercentMin * 10} AND received_ms <= @receivedUntilMs
       AND NOT EXISTS (SELECT 1 FROM chunks WHERE pack = number)
     LIMIT @limit`,
    input,
  );
  return { doomed: rows.map((row) => doomPack(index, row)), isDone: rows.length < input.limit };
}

/** As the index over packs has it, word by word. */
export const DEAD_SHARE = 'iif(blobs = 0, 1000, dead_bytes * 1000 / length)';

/** Row and file go in this order: the doomed row takes the place of the pack's in one transaction. */
export function doomPack(
  index: IndexConnection,
  { number, length }: { number: number; length: number },
): DoomedPack {
  const path = packPath(number);
  index.run('DELETE FROM packs WHERE number = ?', number);
  index.run('INSERT INTO doomed (path) VALUES (?) ON CONFLICT DO NOTHING', path);
  return { path, length };
}
