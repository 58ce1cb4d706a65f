import type { IndexConnection } from './connection.ts';
import { CHUNK_LIVE } from './chunks.store.ts';
import type { PackedIds } from './packed-ids.ts';
import { LOST_PACK, LOST_TYPE } from './lost-chunks.store.ts';

/** The rows of chains, snapshots and what they need, for an index that is made anew from the store. */

const CHUNK_QUARANTINED = 1;

/** How many chunks there are: their rows are numbered from 1 without gaps while an index is made. */
export function countChunks(index: IndexConnection): number {
  return index.get<{ last: number | null }>('SELECT max(chunk) AS last FROM chunks')?.last ?? 0;
}

/** The row of a chunk and the ids that it refers to; null when the store does not have it. */
export function findNode(
  index: IndexConnection,
  domain: number,
  id: Uint8Array,
): { chunk: number; isLost: boolean; table: PackedIds | null } | null {
  const row = index.get<{ chunk: number; state: number; table: Buffer | null }>(
    `SELECT chunk, state, ids AS "table" FROM chunks LEFT JOIN node_tables USING (chunk)
     WHERE domain = ? AND chunk_id = ?`,
    domain,
    id,
  );
  return row === undefined ? null : { chunk: row.chunk, isLost: row.state !== CHUNK_LIVE, table: row.table };
}

/** The ids that a chunk refers to, or null. */
export function tableOf(index: IndexConnection, chunk: number): PackedIds | null {
  return index.get<{ ids: Buffer }>('SELECT ids FROM node_tables WHERE chunk = ?', chunk)?.ids ?? null;
}

/**
 * The row of a piece that a snapshot needs and the store does not have: missing to whoever asks, healed when it is sent
 * again. Its pack is none: nothing of it is dead, and it never gets old enough to be looked at.
 */
export function insertLostChunk(index: IndexConnection, domain: number, id: Uint8Array): number {
  index.run(
    `INSERT INTO packs (number, kind, length, hash, blobs, duplicates, healed, dead_bytes, device_id, operation_id,
       received_ms)
     VALUES (${LOST_PACK}, 0, 1, zeroblob(32), 1, 0, 0, 0, 'lost', 'lost', ${Number.MAX_SAFE_INTEGER})
     ON CONFLICT DO NOTHING`,
  );
  const { chunk } = index.get<{ chunk: number }>(
    `INSERT INTO chunks (domain, chunk_id, pack, offset, length, type, state)
     VALUES (?, ?, ${LOST_PACK}, 0, 0, ${LOST_TYPE}, ${CHUNK_QUARANTINED}) RETURNING chunk`,
    domain,
    id,
  ) as { chunk: number };
  index.run('UPDATE chunks SET offset = chunk WHERE chunk = ?', chunk);
  return chunk;
}

export interface RebuiltChain {
  readonly deviceId: string;
  readonly setId: string;
  readonly domain: number;
  readonly headSnapshot: string;
  readonly headSequence: number;
}

/** Adds a chain whose refset is not known yet. @returns its row */
export function insertChain(index: IndexConnection, chain: RebuiltChain): number {
  const { number } = index.get<{ number: number }>(
    `INSERT INTO chains (device_id, set_id, domain, head_snapshot, head_sequence, refset_state, refset_count)
     VALUES (?, ?, ?, ?, ?, x'', 0) RETURNING chain AS number`,
    chain.deviceId,
    chain.setId,
    chain.domain,
    chain.headSnapshot,
    chain.headSequence,
  ) as { number: number };
  return number;
}

export interface RebuiltSnapshot {
  readonly number: number;
  readonly snapshotId: string;
  readonly receipt: number;
  readonly chain: number;
  readonly sequence: number;
  readonly isComplete: boolean;
  readonly receivedMs: number;
  readonly lockedUntilMs: number;
  readonly refsetCount: number;
  /** The object that says that its content is gone, or null. */
  readonly tombstone: {
    readonly number: number;
    readonly deletedMs: number;
    readonly droppedMs: number;
    readonly reason: string;
  } | null;
}

/** Adds a snapshot. Marks of deletion that had not come into force are forgotten: it is kept. */
export function insertSnapshot(index: IndexConnection, snapshot: RebuiltSnapshot): void {
  index.run(
    `INSERT INTO snapshots (number, snapshot_id, receipt, chain, sequence, is_complete, received_ms, locked_until_ms,
       refset_count, deleted_ms, delete_reason, content_until_ms, tombstone)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    snapshot.number,
    snapshot.snapshotId,
    snapshot.receipt,
    snapshot.chain,
    snapshot.sequence,
    snapshot.isComplete ? 1 : 0,
    snapshot.receivedMs,
    snapshot.lockedUntilMs,
    snapshot.refsetCount,
    snapshot.tombstone?.deletedMs ?? null,
    snapshot.tombstone?.reason ?? null,
    snapshot.tombstone?.droppedMs ?? null,
    snapshot.tombstone?.number ?? null,
  );
}

/** Notes a snapshot that another one needs; false when it is not there. */
export function insertRequired(index: IndexConnection, number: number, required: string): boolean {
  if (index.get('SELECT 1 FROM snapshots WHERE snapshot_id = ?', required) === undefined) return false;
  index.run(
    'INSERT INTO snapshot_requires (number, required) VALUES (?, ?) ON CONFLICT DO NOTHING',
    number,
    required,
  );
  return true;
}

/** A chunk that snapshots before the head need. */
export function insertPastRef(
  index: IndexConnection,
  chain: number,
  ref: { chunk: number; fromSequence: number; toSequence: number },
): void {
  index.run(
    'INSERT INTO past_refs (chain, chunk, from_sequence, to_sequence) VALUES (?, ?, ?, ?)',
    chain,
    ref.chunk,
    ref.fromSequence,
    ref.toSequence,
  );
}

/** A chunk that the head needs. */
export function insertHeadRef(
  index: IndexConnection,
  chain: number,
  ref: { chunk: number; fromSequence: number; parents: number },
): void {
  index.run(
    'INSERT INTO head_refs (chain, chunk, from_sequence, parents) VALUES (?, ?, ?, ?)',
    chain,
    ref.chunk,
    ref.fromSequence,
    ref.parents,
  );
}

/** What a chain's refs lead to, once all are there. */
export function finishChain(
  index: IndexConnection,
  input: { chain: number; refsetState: Uint8Array; refsetCount: number },
): void {
  index.run(
    `UPDATE chains SET refset_state = @refsetState, refset_count = @refsetCount,
       head_bytes = (SELECT coalesce(sum(length), 0) FROM head_refs JOIN chunks USING (chunk) WHERE chain = @chain),
       past_bytes = (SELECT coalesce(sum(length), 0) FROM chunks WHERE chunk IN (
         SELECT chunk FROM past_refs WHERE chain = @chain EXCEPT SELECT chunk FROM head_refs WHERE chain = @chain))
     WHERE chain = @chain`,
    input,
  );
}

/** Counts what is there, and notes as loose what no snapshot needs. */
export function finishCounts(index: IndexConnection): void {
  index.run('UPDATE vault SET used_bytes = (SELECT coalesce(sum(length), 0) FROM chunks)');
  index.run(
    'UPDATE domains SET chunk_count = (SELECT count(*) FROM chunks WHERE chunks.domain = domains.domain)',
  );
  index.run(
    `INSERT INTO loose_chunks (chunk) SELECT chunk FROM chunks
     WHERE NOT EXISTS (SELECT 1 FROM head_refs WHERE head_refs.chunk = chunks.chunk)
       AND NOT EXISTS (SELECT 1 FROM past_refs WHERE past_refs.chunk = chunks.chunk)`,
  );
}
