import { CofreError } from '@cofre/shared/errors';
import { BLOB_TYPES } from '@cofre/shared/format/envelope/blob';
import { CHUNK_LIVE } from './chunks.store.ts';
import type { IndexConnection } from './connection.ts';
import { findDamagedKept } from './damaged-chunks.store.ts';
import { countOfIds, idAt, type PackedIds } from './packed-ids.ts';

/**
 * A commit is prepared in bounded steps in the connection's draft: the chunks that its refset gains and loses, and for
 * each of them, and for others of the head, by how much the number of nodes that refer to it changes. These counts are
 * the keyless walk that a removal needs: what a node of the new head still refers to can't be taken away, whatever the
 * device says.
 */

/** Forgets what was prepared for a commit. */
export function clearDraft(index: IndexConnection, input: { draft: number }): void {
  index.run('DELETE FROM temp.draft_refs WHERE draft = ?', input.draft);
  index.drafts.delete(input.draft);
}

/** A node's table has up to 256 KiB. */
const NODES_A_STEP = 64;

export interface ResolveStep {
  readonly draft: number;
  readonly session: number;
  readonly domain: number;
  /** Null when refs are sent whole: then the head does not matter. */
  readonly headChain: number | null;
  readonly isDelta: boolean;
  readonly mode: 'add' | 'remove';
  readonly part: number;
  /** Of the part when the refset was checked. */
  readonly hashState: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/**
 * Looks the ids of a slice of a part up and adds their chunks to the draft.
 * @returns ids that are not live, and how many contradict the head or came before
 * @throws CofreError `refset_mismatch` when the part was replaced since the refset was checked
 */
export function resolveRefs(
  index: IndexConnection,
  step: ResolveStep,
): { missing: PackedIds; conflicts: number } {
  index.drafts.add(step.draft);
  const row = index.get<{ ids: Buffer; hashState: Buffer }>(
    'SELECT ids, hash_state AS hashState FROM staged_parts WHERE session = ? AND mode = ? AND part = ?',
    step.session,
    step.mode,
    step.part,
  );
  if (row?.hashState.equals(step.hashState) !== true) {
    throw new CofreError('refset_mismatch', { problem: 'a part was sent anew during the commit' });
  }
  const { ids } = row;
  const find = index.statement('SELECT chunk, state FROM chunks WHERE domain = ? AND chunk_id = ?');
  const findInHead = index.statement('SELECT 1 FROM head_refs WHERE chain = ? AND chunk = ?');
  const insert = index.statement(
    'INSERT INTO temp.draft_refs (draft, mode, chunk) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const missing: Buffer[] = [];
  let conflicts = 0;
  for (let place = step.start; place < Math.min(step.end, countOfIds(ids)); place++) {
    const id = idAt(ids, place);
    const known = find.get(step.domain, id) as { chunk: number; state: number } | undefined;
    // What is taken away may be damaged by now; what is added may not.
    if (known === undefined || (step.mode === 'add' && known.state !== CHUNK_LIVE)) {
      missing.push(id);
      continue;
    }
    const isNew = insert.run(step.draft, step.mode, known.chunk).changes === 1;
    const isOfHead = step.headChain !== null && findInHead.get(step.headChain, known.chunk) !== undefined;
    const contradicts = step.isDelta && isOfHead !== (step.mode === 'remove');
    if (!isNew || contradicts) conflicts += 1;
  }
  return { missing: Buffer.concat(missing), conflicts };
}

export interface WalkStep {
  readonly draft: number;
  readonly domain: number;
  readonly chain: number | null;
  readonly isDelta: boolean;
  readonly after: number;
  /** Ids that one step looks up, about. */
  readonly idsMax: number;
}

/**
 * Walks some of the nodes that the head gains: whatever they refer to has to belong to the new refset, and has a
 * parent more.
 * @returns the ids that are not live, how many are live and not in it, and where to go on (null at the end)
 */
export function walkAdded(
  index: IndexConnection,
  step: WalkStep,
): { missing: PackedIds; outside: number; next: number | null } {
  const missing: Buffer[] = [];
  let outside = 0;
  const next = walkNodes(index, step, 'add', (id) => {
    const child = findChunk(index, step.domain, id);
    if (child?.state !== CHUNK_LIVE) missing.push(Buffer.from(id));
    else if (!countParent(index, step, child.chunk, 1)) outside += 1;
  });
  return { missing: Buffer.concat(missing), outside, next };
}

/**
 * Walks some of the nodes that the head loses: what they refer to has a parent less.
 * @returns how many of these ids the head does not have, which is never so in a sound index
 */
export function walkRemoved(
  index: IndexConnection,
  step: WalkStep,
): { outside: number; next: number | null } {
  let outside = 0;
  const next = walkNodes(index, step, 'remove', (id) => {
    const child = findChunk(index, step.domain, id);
    if (child === undefined || !countLostParent(index, step, child.chunk)) outside += 1;
  });
  return { outside, next };
}

function walkNodes(
  index: IndexConnection,
  step: WalkStep,
  mode: 'add' | 'remove',
  visit: (id: Buffer) => void,
): number | null {
  const nodes = index
    .statement(
      `SELECT chunk, ids FROM temp.draft_refs JOIN node_tables USING (chunk)
       WHERE draft = ? AND mode = ? AND chunk > ? ORDER BY chunk LIMIT ${NODES_A_STEP}`,
    )
    .all(step.draft, mode, step.after) as { chunk: number; ids: Buffer }[];
  let lookedUp = 0;
  for (const node of nodes) {
    const ids = countOfIds(node.ids);
    for (let place = 0; place < ids; place++) visit(idAt(node.ids, place));
    lookedUp += ids;
    if (lookedUp >= step.idsMax) return node.chunk;
  }
  return nodes.length === NODES_A_STEP ? (nodes.at(-1)?.chunk ?? null) : null;
}

function findChunk(index: IndexConnection, domain: number, id: Uint8Array) {
  return index.get<{ chunk: number; state: number; type: number }>(
    'SELECT chunk, state, type FROM chunks WHERE domain = ? AND chunk_id = ?',
    domain,
    id,
  );
}

/** Counts a new parent of a chunk of the new refset; false when the chunk is not in it. */
function countParent(index: IndexConnection, step: WalkStep, chunk: number, change: 1 | -1): boolean {
  if (changeDraft(index, step.draft, 'add', chunk, change)) return true;
  if (!step.isDelta || step.chain === null) return false;
  if (isInDraft(index, step.draft, 'remove', chunk) || !isInHead(index, step.chain, chunk)) return false;
  keepWith(index, step.draft, chunk, change);
  return true;
}

function countLostParent(index: IndexConnection, step: WalkStep, chunk: number): boolean {
  if (changeDraft(index, step.draft, 'remove', chunk, -1)) return true;
  if (step.chain === null || !isInHead(index, step.chain, chunk)) return false;
  keepWith(index, step.draft, chunk, -1);
  return true;
}

function changeDraft(
  index: IndexConnection,
  draft: number,
  mode: 'add' | 'remove',
  chunk: number,
  change: 1 | -1,
): boolean {
  const sql = 'UPDATE temp.draft_refs SET parents = parents + ? WHERE draft = ? AND mode = ? AND chunk = ?';
  return index.run(sql, change, draft, mode, chunk) === 1;
}

function keepWith(index: IndexConnection, draft: number, chunk: number, change: 1 | -1): void {
  index.run(
    `INSERT INTO temp.draft_refs (draft, mode, chunk, parents) VALUES (?, 'keep', ?, ?)
     ON CONFLICT DO UPDATE SET parents = parents + excluded.parents`,
    draft,
    chunk,
    change,
  );
}

function isInDraft(index: IndexConnection, draft: number, mode: 'add' | 'remove', chunk: number): boolean {
  const sql = 'SELECT 1 FROM temp.draft_refs WHERE draft = ? AND mode = ? AND chunk = ?';
  return index.get(sql, draft, mode, chunk) !== undefined;
}

function isInHead(index: IndexConnection, chain: number, chunk: number): boolean {
  return index.get('SELECT 1 FROM head_refs WHERE chain = ? AND chunk = ?', chain, chunk) !== undefined;
}

/**
 * What the walks have shown, once they are done.
 * @returns whether the root is a catalog of the new refset; how many of the removed chunks a node of it still refers
 *   to; how many of it nothing refers to, so that nobody could tell from the store that they belong to it; and ids that
 *   stay from the head and have been found damaged since
 */
export function concludeWalk(
  index: IndexConnection,
  step: Omit<WalkStep, 'after' | 'idsMax'> & { catalogRoot: Uint8Array },
): { hasRoot: boolean; stillNeeded: number; unneeded: number; damaged: PackedIds } {
  const root = findChunk(index, step.domain, step.catalogRoot);
  const hasRoot = root?.type === BLOB_TYPES.catalog && isInRefset(index, step, root.chunk);
  const values = { draft: step.draft, chain: step.chain, root: root?.chunk ?? null };
  const orphansAdded = count(
    index,
    `SELECT count(*) AS count FROM temp.draft_refs
     WHERE draft = @draft AND mode = 'add' AND parents = 0 AND chunk IS NOT @root`,
    values,
  );
  if (!step.isDelta || step.chain === null) {
    return { hasRoot, stillNeeded: 0, unneeded: orphansAdded, damaged: Buffer.alloc(0) };
  }
  const stillNeeded = count(
    index,
    `SELECT count(*) AS count FROM temp.draft_refs AS gone JOIN head_refs USING (chunk)
     WHERE draft = @draft AND mode = 'remove' AND chain = @chain AND head_refs.parents + gone.parents != 0`,
    values,
  );
  const unneeded = orphansAdded + countOrphansKept(index, values);
  return { hasRoot, stillNeeded, unneeded, damaged: findDamagedKept(index, step.chain, step.draft) };
}

interface Concluding {
  readonly draft: number;
  readonly chain: number | null;
  /** The chunk of the new root. */
  readonly root: number | null;
}

/** What stays from the head although nothing refers to it any more: its old root, or what has lost its last parent. */
function countOrphansKept(index: IndexConnection, values: Concluding): number {
  const isDrafted = (modes: string): string =>
    `EXISTS (SELECT 1 FROM temp.draft_refs WHERE draft = @draft AND mode IN (${modes}) AND draft_refs.chunk = head_refs.chunk)`;
  const roots = count(
    index,
    `SELECT count(*) AS count FROM head_refs
     WHERE chain = @chain AND parents = 0 AND chunk IS NOT @root AND NOT ${isDrafted("'remove', 'keep'")}`,
    values,
  );
  const bereft = count(
    index,
    `SELECT count(*) AS count FROM temp.draft_refs AS kept JOIN head_refs USING (chunk)
     WHERE draft = @draft AND mode = 'keep' AND chain = @chain AND chunk IS NOT @root
       AND head_refs.parents + kept.parents = 0`,
    values,
  );
  return roots + bereft;
}

function count(index: IndexConnection, sql: string, values: Concluding): number {
  return (index.get<{ count: number }>(sql, values) as { count: number }).count;
}

function isInRefset(
  index: IndexConnection,
  step: { draft: number; isDelta: boolean; chain: number | null },
  chunk: number,
): boolean {
  if (isInDraft(index, step.draft, 'add', chunk)) return true;
  if (!step.isDelta || step.chain === null || isInDraft(index, step.draft, 'remove', chunk)) return false;
  return isInHead(index, step.chain, chunk);
}
