import { CHUNK_LIVE } from './chunks.store.ts';
import type { IndexConnection } from './connection.ts';
import { forgetHealed, healDamage, noteDamage } from './damages.store.ts';
import { findPack, PACK_COLUMNS, type PackRow } from './verify.store.ts';

const CHUNK_QUARANTINED = 1;

/** How much there is to read, and when that was last done. */
export interface ScrubState {
  readonly packBytes: number;
  /** When the scrub last took its share; null before the first time. */
  readonly scrubbedMs: number | null;
  readonly indexCheckedMs: number | null;
}

/** How far the scrub is; the packs are counted, which takes some milliseconds. */
export function describeScrub(index: IndexConnection): ScrubState {
  return index.get<ScrubState>(
    `SELECT (SELECT coalesce(sum(length), 0) FROM packs) AS packBytes, scrubbed_ms AS scrubbedMs,
       index_checked_ms AS indexCheckedMs
     FROM vault`,
  ) as ScrubState;
}

/** A share was taken, and the database was checked; null changes nothing. */
export function noteScrub(
  index: IndexConnection,
  input: { scrubbedMs: number | null; indexCheckedMs: number | null },
): void {
  index.run(
    `UPDATE vault SET scrubbed_ms = coalesce(@scrubbedMs, scrubbed_ms),
       index_checked_ms = coalesce(@indexCheckedMs, index_checked_ms)`,
    input,
  );
}

/**
 * The pack to read next: first what somebody waits for, then the one that was read (or, before that, received) longest
 * ago, if that was before `dueMs`. Null when none is due.
 */
export function nextPackToScrub(index: IndexConnection, input: { dueMs: number }): PackRow | null {
  const waiting = index.get<PackRow>(
    `SELECT ${PACK_COLUMNS} FROM packs WHERE scrub_first_ms IS NOT NULL ORDER BY scrub_first_ms, number LIMIT 1`,
  );
  if (waiting !== undefined) return waiting;
  const oldest = index.get<PackRow>(
    `SELECT ${PACK_COLUMNS} FROM packs
     WHERE coalesce(last_verified_ms, received_ms) <= @dueMs AND (last_verified_ms IS NULL OR last_verified_ms < @dueMs)
     ORDER BY coalesce(last_verified_ms, received_ms) LIMIT 1`,
    input,
  );
  return oldest ?? null;
}

/** Puts packs to the front of the scrub's queue, behind those that wait there already. */
export function scrubFirst(index: IndexConnection, input: { packs: readonly number[]; nowMs: number }): void {
  for (const pack of input.packs) {
    index.run(
      'UPDATE packs SET scrub_first_ms = ? WHERE number = ? AND scrub_first_ms IS NULL',
      input.nowMs,
      pack,
    );
  }
}

/** A chunk as a scrub saw its row: if it has moved since, nothing is known about it any more. */
export interface SeenChunk {
  readonly chunkId: Uint8Array;
  readonly offset: number;
  readonly what: string;
}

/**
 * Takes damaged chunks of a pack out of service, and notes each. From then on they count as missing, and the next
 * backup of a device that has them sends them again.
 * @returns how many it was: those that have moved meanwhile, or are out of service already, stay as they are
 */
export function quarantineChunks(
  index: IndexConnection,
  input: { pack: number; chunks: readonly SeenChunk[]; nowMs: number },
): number {
  let count = 0;
  for (const { chunkId, offset, what } of input.chunks) {
    const row = setState(index, { pack: input.pack, offset, chunkId }, CHUNK_LIVE, CHUNK_QUARANTINED);
    if (row === undefined) continue;
    const known = { healedMs: null, object: null, pack: input.pack };
    noteDamage(index, { ...known, what, foundMs: input.nowMs, domain: row.domain, chunkId });
    count += 1;
  }
  if (count > 0) index.run('UPDATE vault SET liveness_epoch = liveness_epoch + 1');
  return count;
}

/**
 * Puts chunks back into service whose bytes are right after all, as after a disk was away or badly connected.
 * @returns how many it was
 */
export function releaseChunks(
  index: IndexConnection,
  input: { pack: number; chunks: readonly Omit<SeenChunk, 'what'>[]; nowMs: number },
): number {
  let count = 0;
  for (const { chunkId, offset } of input.chunks) {
    const row = setState(index, { pack: input.pack, offset, chunkId }, CHUNK_QUARANTINED, CHUNK_LIVE);
    if (row === undefined) continue;
    healDamage(index, { domain: row.domain, chunkId, pack: input.pack, nowMs: input.nowMs });
    count += 1;
  }
  return count;
}

function setState(
  index: IndexConnection,
  place: { pack: number; offset: number; chunkId: Uint8Array },
  from: number,
  to: number,
): { domain: number } | undefined {
  return index.get<{ domain: number }>(
    `UPDATE chunks SET state = @to WHERE pack = @pack AND offset = @offset AND chunk_id = @chunkId AND state = @from
     RETURNING domain`,
    { ...place, from, to },
  );
}

/** A pack was read whole, and what was wrong with it is noted. One that is gone meanwhile concerns nobody. */
export function finishPackScrub(
  index: IndexConnection,
  input: { pack: number; nowMs: number; needsRewrite: boolean },
): void {
  index.run(
    'UPDATE packs SET last_verified_ms = ?, scrub_first_ms = NULL, needs_rewrite = ? WHERE number = ?',
    input.nowMs,
    input.needsRewrite ? 1 : 0,
    input.pack,
  );
  forgetHealed(index, input.nowMs);
}

/** A pack as it is now, and which of some places still have a chunk: whoever found something looks again. */
export function lookAtPack(
  index: IndexConnection,
  input: { pack: number; offsets: readonly number[] },
): { pack: PackRow | null; offsets: number[] } {
  const isThere = (offset: number): boolean =>
    index.get('SELECT 1 FROM chunks WHERE pack = ? AND offset = ?', input.pack, offset) !== undefined;
  return { pack: findPack(index, input.pack), offsets: input.offsets.filter(isThere) };
}
