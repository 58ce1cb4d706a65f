import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import { CHUNK_ID_BYTES } from '@cofre/shared/ids';
import type { Session } from '@cofre/shared/wire/sessions';
import type { SetCacheReader } from './cache/set-cache.ts';
import { CHUNK_STATES, type ChunkTable } from './pipeline/chunk-table.ts';
import type { Deduplicator } from './pipeline/deduplicator.ts';

/** What is left of the last run on this computer. */
export interface PreviousRun {
  readonly cache: SetCacheReader | null;
  /** The cache belongs to the set's newest snapshot on the server: the new refset is told as a change of it. */
  readonly isOfHead: boolean;
}

/**
 * Takes up the last run's cache. Where it belongs to the head that the session holds, its chunks are live
 * without asking; otherwise (a lost answer, an old copy of the state) the server is asked about all of them.
 * @param trustsHead false when the server is to be asked in any case
 */
export async function openPreviousRun(
  cache: SetCacheReader | null,
  session: Session,
  table: ChunkTable,
  deduplicator: Deduplicator,
  trustsHead: boolean,
): Promise<PreviousRun> {
  if (cache === null) return { cache, isOfHead: false };
  const { refsetState, refsetCount, snapshotId } = cache.head;
  const isOfHead =
    session.head?.snapshotId === snapshotId &&
    session.head.refsetCount === refsetCount &&
    session.head.refsetDigest === RefsetHash.fromState(refsetState, refsetCount).digest().toString('hex');
  table.reserve(refsetCount);
  const { held, live } = CHUNK_STATES;
  for (const part of cache.refsetParts()) {
    if (isOfHead) markAll(table, part, trustsHead ? held | live : held);
    if (!isOfHead || !trustsHead) await deduplicator.learn(part);
  }
  return { cache, isOfHead };
}

function markAll(table: ChunkTable, ids: Buffer, states: number): void {
  for (let offset = 0; offset < ids.length; offset += CHUNK_ID_BYTES) table.markAt(ids, offset, states);
}
