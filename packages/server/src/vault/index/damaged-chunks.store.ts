import { LIMITS } from '@cofre/shared/limits';
import type { IndexConnection } from './connection.ts';
import type { PackedIds } from './packed-ids.ts';

/** Ids of pieces that the head of a chain needs and that are damaged, as many as are named at once. */
export function findDamaged(index: IndexConnection, chain: number): PackedIds {
  return findDamagedWhere(index, chain, '', []);
}

/** The same, without those that a commit takes away. */
export function findDamagedKept(index: IndexConnection, chain: number, draft: number): PackedIds {
  const isKept = `AND NOT EXISTS (SELECT 1 FROM temp.draft_refs
    WHERE draft = ? AND mode = 'remove' AND draft_refs.chunk = chunks.chunk)`;
  return findDamagedWhere(index, chain, isKept, [draft]);
}

/** From the few damaged ones, whatever the number of all. */
function findDamagedWhere(
  index: IndexConnection,
  chain: number,
  condition: string,
  values: unknown[],
): PackedIds {
  const rows = index.all<{ chunkId: Buffer }>(
    `SELECT chunk_id AS chunkId FROM chunks CROSS JOIN head_refs USING (chunk)
     WHERE state != 0 AND chain = ? ${condition} LIMIT ${LIMITS.missingIdsReportedMax}`,
    chain,
    ...values,
  );
  return Buffer.concat(rows.map(({ chunkId }) => chunkId));
}
