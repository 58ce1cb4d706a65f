import type { IndexConnection } from './connection.ts';
import { countOfIds, idAt, type PackedIds } from './packed-ids.ts';

/** What a walk over a whole vault asks, a bounded piece at a time. */

export interface PackRow {
  readonly number: number;
  readonly kind: number;
  readonly length: number;
  readonly hash: Uint8Array;
  readonly blobs: number;
  readonly deadBytes: number;
}

/** Of the table of packs, for a {@link PackRow}. */
export const PACK_COLUMNS = 'number, kind, length, hash, blobs, dead_bytes AS deadBytes';

/** Packs by number. */
export function listPacks(index: IndexConnection, input: { after: number; limit: number }): PackRow[] {
  return index.all<PackRow>(
    `SELECT ${PACK_COLUMNS} FROM packs WHERE number > ? ORDER BY number LIMIT ?`,
    input.after,
    input.limit,
  );
}

/** A pack as it is now; null when it is gone. */
export function findPack(index: IndexConnection, number: number): PackRow | null {
  return index.get<PackRow>(`SELECT ${PACK_COLUMNS} FROM packs WHERE number = ?`, number) ?? null;
}

export interface PackChunk {
  readonly chunkId: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly type: number;
  readonly state: number;
}

/** The chunks that lie in a pack, by offset. */
export function listPackChunks(
  index: IndexConnection,
  input: { pack: number; after: number; limit: number },
): PackChunk[] {
  return index.all<PackChunk>(
    `SELECT chunk_id AS chunkId, offset, length, type, state FROM chunks
     WHERE pack = ? AND offset > ? ORDER BY offset LIMIT ?`,
    input.pack,
    input.after,
    input.limit,
  );
}

/** Snapshots that need a chunk of a pack, or the one at an offset; `limit` at most. */
export function listSnapshotsNeeding(
  index: IndexConnection,
  input: { pack: number; offset: number | null; limit: number },
): string[] {
  return index
    .all<{ snapshotId: string }>(
      `SELECT DISTINCT snapshot_id AS snapshotId FROM snapshots JOIN (
         SELECT chain, from_sequence AS first, 9007199254740991 AS after FROM chunks JOIN head_refs USING (chunk)
         WHERE pack = @pack AND (@offset IS NULL OR offset = @offset)
         UNION ALL
         SELECT chain, from_sequence, to_sequence FROM chunks JOIN past_refs USING (chunk)
         WHERE pack = @pack AND (@offset IS NULL OR offset = @offset)
       ) AS span ON snapshots.chain = span.chain AND sequence >= first AND sequence < after
       WHERE tombstone IS NULL LIMIT @limit`,
      input,
    )
    .map(({ snapshotId }) => snapshotId);
}

/** Which of these numbers have no row, and no note that their file is about to come or go. */
export function findUnknown(
  index: IndexConnection,
  input: { table: 'packs' | 'objects'; files: readonly { number: number; path: string }[] },
): string[] {
  return input.files
    .filter(({ number, path }) => {
      if (index.get(`SELECT 1 FROM ${input.table} WHERE number = ?`, number) !== undefined) return false;
      if (index.get('SELECT 1 FROM intents WHERE path = ?', path) !== undefined) return false;
      return index.get('SELECT 1 FROM doomed WHERE path = ?', path) === undefined;
    })
    .map(({ path }) => path);
}

export interface ChainRow {
  readonly chain: number;
  readonly headSnapshot: string;
  readonly headSequence: number;
  readonly refsetCount: number;
  readonly refsetState: Uint8Array;
  /** It was deleted: nothing of it is left, or what is left is being let go of. */
  readonly isHeadGone: number;
}

/** Chains by their row. */
export function listChains(index: IndexConnection, input: { after: number; limit: number }): ChainRow[] {
  return index.all<ChainRow>(
    `SELECT chain, head_snapshot AS headSnapshot, head_sequence AS headSequence, refset_count AS refsetCount,
       refset_state AS refsetState,
       EXISTS (SELECT 1 FROM snapshots WHERE snapshot_id = head_snapshot AND tombstone IS NOT NULL) AS isHeadGone
     FROM chains WHERE chain > ? ORDER BY chain LIMIT ?`,
    input.after,
    input.limit,
  );
}

/** Ids that the head of a chain needs, and how many of them are not live; `last` is where to go on. */
export function listHeadRefs(
  index: IndexConnection,
  input: { chain: number; after: number; limit: number },
): { ids: PackedIds; quarantined: number; last: number | null } {
  const rows = index.all<{ chunk: number; chunkId: Buffer; state: number }>(
    `SELECT chunk, chunk_id AS chunkId, state FROM head_refs JOIN chunks USING (chunk)
     WHERE chain = ? AND chunk > ? ORDER BY chunk LIMIT ?`,
    input.chain,
    input.after,
    input.limit,
  );
  return {
    ids: Buffer.concat(rows.map(({ chunkId }) => chunkId)),
    quarantined: rows.filter(({ state }) => state !== 0).length,
    last: rows.at(-1)?.chunk ?? null,
  };
}

/** How many ids of some of the head's nodes are not in the head; `last` is where to go on. */
export function checkHeadClosure(
  index: IndexConnection,
  input: { chain: number; after: number; limit: number },
): { outside: number; last: number | null } {
  const nodes = index.all<{ chunk: number; domain: number; ids: Buffer }>(
    `SELECT chunk, domain, ids FROM head_refs JOIN node_tables USING (chunk) JOIN chunks USING (chunk)
     WHERE chain = ? AND chunk > ? ORDER BY chunk LIMIT ?`,
    input.chain,
    input.after,
    input.limit,
  );
  const inHead = index.statement(
    `SELECT 1 FROM chunks JOIN head_refs USING (chunk) WHERE domain = ? AND chunk_id = ? AND chain = ?`,
  );
  let outside = 0;
  for (const node of nodes) {
    for (let place = 0; place < countOfIds(node.ids); place++) {
      if (inHead.get(node.domain, idAt(node.ids, place), input.chain) === undefined) outside += 1;
    }
  }
  return { outside, last: nodes.at(-1)?.chunk ?? null };
}

/** Snapshots of a chain whose intervals count something else than their manifests say. */
export function findMiscounted(index: IndexConnection, input: { chain: number }): string[] {
  return index
    .all<{ snapshotId: string }>(
      `WITH steps (sequence, change) AS (
         SELECT from_sequence, count(*) FROM head_refs WHERE chain = @chain GROUP BY 1
         UNION ALL SELECT from_sequence, count(*) FROM past_refs WHERE chain = @chain GROUP BY 1
         UNION ALL SELECT to_sequence, -count(*) FROM past_refs WHERE chain = @chain GROUP BY 1
       )
       SELECT snapshot_id AS snapshotId FROM snapshots WHERE chain = @chain AND tombstone IS NULL AND refset_count !=
         (SELECT coalesce(sum(change), 0) FROM steps WHERE steps.sequence <= snapshots.sequence)
       LIMIT 100`,
      input,
    )
    .map(({ snapshotId }) => snapshotId);
}

/** What a chain's row and its refs count, beside what is there to count: equal in a sound index. */
export function countChain(
  index: IndexConnection,
  input: { chain: number },
): { counted: ChainCounts; actual: ChainCounts } {
  const counted = index.get<ChainCounts>(
    `SELECT head_bytes AS headBytes, past_bytes AS pastBytes,
       (SELECT coalesce(sum(parents), 0) FROM head_refs WHERE chain = @chain) AS parents
     FROM chains WHERE chain = @chain`,
    input,
  ) as ChainCounts;
  const actual = index.get<ChainCounts>(
    `SELECT
       (SELECT coalesce(sum(length), 0) FROM head_refs JOIN chunks USING (chunk) WHERE chain = @chain) AS headBytes,
       (SELECT coalesce(sum(length), 0) FROM chunks WHERE chunk IN (
         SELECT chunk FROM past_refs WHERE chain = @chain EXCEPT SELECT chunk FROM head_refs WHERE chain = @chain
       )) AS pastBytes,
       (SELECT coalesce(sum(length(ids) / 32), 0) FROM head_refs JOIN node_tables USING (chunk)
        WHERE chain = @chain) AS parents`,
    input,
  ) as ChainCounts;
  return { counted, actual };
}

export interface ChainCounts {
  readonly headBytes: number;
  readonly pastBytes: number;
  /** References from nodes of the head. */
  readonly parents: number;
}

/**
 * Of some chunks, how many are needed by nothing and not noted as loose (they would stay for ever), and how many are
 * noted as loose though something needs them; `last` is where to go on.
 */
export function countUnheld(
  index: IndexConnection,
  input: { after: number; limit: number },
): { forgotten: number; misheld: number; last: number | null } {
  const isHeld = `(EXISTS (SELECT 1 FROM head_refs WHERE head_refs.chunk = some.chunk)
    OR EXISTS (SELECT 1 FROM past_refs WHERE past_refs.chunk = some.chunk))`;
  const isLoose = 'EXISTS (SELECT 1 FROM loose_chunks WHERE loose_chunks.chunk = some.chunk)';
  return index.get<{ forgotten: number; misheld: number; last: number | null }>(
    `SELECT coalesce(sum(NOT ${isHeld} AND NOT ${isLoose}), 0) AS forgotten,
       coalesce(sum(${isHeld} AND ${isLoose}), 0) AS misheld, max(chunk) AS last
     FROM (SELECT chunk FROM chunks WHERE chunk > @after ORDER BY chunk LIMIT @limit) AS some`,
    input,
  ) as { forgotten: number; misheld: number; last: number | null };
}

/** The keys that rosters name, by device: whoever signed an object is among them or unknown. */
export function listSigningKeys(index: IndexConnection): string[] {
  return index
    .all<{ signingKey: string }>('SELECT signing_key AS signingKey FROM roster_devices')
    .map(({ signingKey }) => signingKey);
}
