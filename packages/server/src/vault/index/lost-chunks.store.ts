import type { IndexConnection } from './connection.ts';
import { countOfIds, idAt, type PackedIds } from './packed-ids.ts';

/**
 * What stands for the pack of a piece that the store did not have any more when the index was made anew from it, though
 * a snapshot needs it. Readers take the number for "not there".
 */
export const LOST_PACK = 0;
/** The type of such a piece is not known before it is sent again. */
export const LOST_TYPE = 0;

/**
 * A lost node has come again: only now it is known what it refers to, and it counts as a parent of that in each head
 * that has it.
 */
export function adoptTable(
  index: IndexConnection,
  node: { chunk: number; domain: number; table: PackedIds | null },
): void {
  const { chunk, domain, table } = node;
  if (table === null) return;
  index.run('INSERT INTO node_tables (chunk, ids) VALUES (?, ?)', chunk, table);
  const count = index.statement(
    `UPDATE head_refs SET parents = parents + 1
     WHERE chunk = (SELECT chunk FROM chunks WHERE domain = ? AND chunk_id = ?)
       AND chain IN (SELECT chain FROM head_refs WHERE chunk = ?)`,
  );
  for (let place = 0; place < countOfIds(table); place++) count.run(domain, idAt(table, place), chunk);
}
