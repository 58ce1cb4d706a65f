import { LIMITS } from '@cofre/shared/limits';
import type { IndexConnection } from './connection.ts';

/** What was found of a chunk in a pack, or of an object. */
export interface NewDamage {
  readonly what: string;
  readonly foundMs: number;
  readonly pack: number | null;
  readonly domain: number | null;
  readonly chunkId: Uint8Array | null;
  readonly object: number | null;
  /** Set for what was mended as soon as it was found. */
  readonly healedMs: number | null;
}

/** Adds a damage to the list. */
export function noteDamage(index: IndexConnection, damage: NewDamage): void {
  index.run(
    `INSERT INTO damages (found_ms, what, pack, domain, chunk_id, object, healed_ms)
     VALUES (@foundMs, @what, @pack, @domain, @chunkId, @object, @healedMs)`,
    damage,
  );
}

/** The chunk is whole again, from this pack. */
export function healDamage(
  index: IndexConnection,
  chunk: { domain: number; chunkId: Uint8Array; pack: number; nowMs: number },
): void {
  index.run(
    `UPDATE damages SET healed_ms = @nowMs, healed_by_pack = @pack
     WHERE domain = @domain AND chunk_id = @chunkId AND healed_ms IS NULL`,
    chunk,
  );
}

const FORGOTTEN_MAX = 1_000;

/** Forgets some of what was healed long ago. */
export function forgetHealed(index: IndexConnection, nowMs: number): void {
  index.run(
    `DELETE FROM damages WHERE damage IN (SELECT damage FROM damages WHERE healed_ms < ? LIMIT ${FORGOTTEN_MAX})`,
    nowMs - LIMITS.damageKeptMs,
  );
}

export interface DamageRow {
  readonly damage: number;
  readonly foundMs: number;
  readonly what: string;
  readonly pack: number | null;
  readonly chunkId: Uint8Array | null;
  readonly object: number | null;
  readonly healedMs: number | null;
  readonly healedByPack: number | null;
  /** An open one whose chunk is gone, because nothing needed it any more: nobody has to mend it. */
  readonly isMoot: 0 | 1;
  readonly snapshots: readonly string[];
  readonly devices: readonly string[];
}

type BareRow = Omit<DamageRow, 'snapshots' | 'devices' | 'isMoot'> & {
  readonly chunk: number | null;
  readonly state: number | null;
  readonly objectKey: string | null;
};

/** Damages that are open, or those that are healed, by number, with the snapshots that need what they concern; `snapshotsMax` of them each at most. */
export function listDamages(
  index: IndexConnection,
  input: { isOpen: boolean; after: number; limit: number; snapshotsMax: number },
): DamageRow[] {
  const rows = index.all<BareRow>(
    `SELECT damage, found_ms AS foundMs, what, damages.pack, damages.chunk_id AS chunkId, object,
       healed_ms AS healedMs, healed_by_pack AS healedByPack, chunks.chunk, chunks.state,
       CASE WHEN objects.kind IN ('manifest', 'receipt') THEN objects.key END AS objectKey
     FROM damages
       LEFT JOIN chunks ON chunks.domain = damages.domain AND chunks.chunk_id = damages.chunk_id
       LEFT JOIN objects ON objects.number = damages.object
     WHERE damage > ? AND (healed_ms IS NULL) = ? ORDER BY damage LIMIT ?`,
    input.after,
    input.isOpen ? 1 : 0,
    input.limit,
  );
  return rows.map(({ chunk, state, objectKey, ...row }) => {
    const isMoot = row.healedMs === null && row.chunkId !== null && (chunk === null || state === 0) ? 1 : 0;
    const needing = chunk === null ? [] : snapshotsNeeding(index, chunk, input.snapshotsMax);
    const ofObject = objectKey === null ? [] : snapshotOf(index, objectKey);
    const concerned = [...needing, ...ofObject];
    const devices = new Set(concerned.map(({ deviceId }) => deviceId));
    return {
      ...row,
      isMoot,
      snapshots: concerned.map(({ snapshotId }) => snapshotId),
      devices: [...devices],
    };
  });
}

interface ConcernedSnapshot {
  readonly snapshotId: string;
  readonly deviceId: string;
}

function snapshotsNeeding(index: IndexConnection, chunk: number, limit: number): ConcernedSnapshot[] {
  return index.all<ConcernedSnapshot>(
    `SELECT DISTINCT snapshot_id AS snapshotId, device_id AS deviceId FROM snapshots JOIN chains USING (chain) JOIN (
       SELECT chain, from_sequence AS first, 9007199254740991 AS after FROM head_refs WHERE chunk = @chunk
       UNION ALL
       SELECT chain, from_sequence, to_sequence FROM past_refs WHERE chunk = @chunk
     ) AS span ON snapshots.chain = span.chain AND sequence >= first AND sequence < after AND tombstone IS NULL
     ORDER BY number DESC LIMIT @limit`,
    { chunk, limit },
  );
}

function snapshotOf(index: IndexConnection, snapshotId: string): ConcernedSnapshot[] {
  return index.all<ConcernedSnapshot>(
    `SELECT snapshot_id AS snapshotId, device_id AS deviceId FROM snapshots JOIN chains USING (chain)
     WHERE snapshot_id = ?`,
    snapshotId,
  );
}

/** How many damages there are, and how many of them nobody has mended yet. */
export function countDamages(index: IndexConnection): { open: number; healed: number } {
  return index.get<{ open: number; healed: number }>(
    `SELECT (SELECT count(*) FROM damages WHERE healed_ms IS NULL) AS open,
       (SELECT count(*) FROM damages WHERE healed_ms IS NOT NULL) AS healed`,
  ) as { open: number; healed: number };
}
