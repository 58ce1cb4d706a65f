import { CofreError } from '@cofre/shared/errors';
import { BLOB_TYPES } from '@cofre/shared/format/envelope/blob';
import { CHUNK_LIVE } from './chunks.store.ts';
import type { IndexConnection } from './connection.ts';
import { insertObject, type NewObject } from './objects.store.ts';
import { countOfIds, idAt, type PackedIds } from './packed-ids.ts';
import { renewLease, requireSession, type InSession } from './sessions.store.ts';

/**
 * A commit is prepared in bounded steps that read and fill the connection's draft, and then takes effect in one
 * transaction (`finishCommit`), which looks again at everything that may have changed since.
 */

export interface StagedPart {
  readonly mode: 'add' | 'remove';
  readonly part: number;
  readonly count: number;
  readonly hashState: Uint8Array;
}

export interface CommitHead {
  readonly snapshotId: string;
  readonly sequence: number;
  readonly refsetState: Uint8Array;
  readonly refsetCount: number;
}

export interface CommittedRow {
  readonly number: number;
  readonly receivedMs: number;
  readonly lockedUntilMs: number;
}

export type StartedCommit =
  | { readonly status: 'known'; readonly committed: CommittedRow }
  | {
      readonly status: 'started';
      readonly session: number;
      readonly domain: number;
      readonly domainId: string;
      readonly setId: string;
      readonly chain: number | null;
      readonly head: CommitHead | null;
      readonly livenessEpoch: number;
      readonly parts: readonly StagedPart[];
    };

/**
 * What a commit starts from.
 * @throws CofreError of the session, `head_moved`, or `invalid_request` when it needs a snapshot that is not here
 */
export function startCommit(
  index: IndexConnection,
  input: InSession & {
    snapshotId: string;
    sequence: number;
    previous: string | null;
    requires: readonly string[];
  },
): StartedCommit {
  const committed = findCommitted(index, input);
  if (committed !== null) return { status: 'known', committed };
  const session = requireSession(index, input);
  const chain = index.get<CommitHead & { chain: number; domain: number }>(
    `SELECT chain, domain, head_snapshot AS snapshotId, head_sequence AS sequence, refset_state AS refsetState,
       refset_count AS refsetCount
     FROM chains WHERE device_id = ? AND set_id = ?`,
    input.deviceId,
    session.setId,
  );
  requireNextOf(chain, input);
  if (chain !== undefined && chain.domain !== session.domain) {
    throw new CofreError('invalid_request', { problem: 'the set was begun in another domain' });
  }
  for (const snapshotId of input.requires) {
    if (index.get('SELECT 1 FROM snapshots WHERE snapshot_id = ?', snapshotId) === undefined) {
      throw new CofreError('invalid_request', {
        problem: `it requires snapshot ${snapshotId}, which is not here`,
      });
    }
  }
  return {
    status: 'started',
    session: session.session,
    domain: session.domain,
    domainId: session.domainId,
    setId: session.setId,
    chain: chain?.chain ?? null,
    head: chain ?? null,
    livenessEpoch: livenessEpoch(index),
    parts: index.all<StagedPart>(
      `SELECT mode, part, length(ids) / 32 AS count, hash_state AS hashState FROM staged_parts
       WHERE session = ? ORDER BY mode, part`,
      session.session,
    ),
  };
}

/** What became of a manifest, when this device has committed it before. */
export function findCommitted(
  index: IndexConnection,
  input: { snapshotId: string; deviceId: string },
): CommittedRow | null {
  return (
    index.get<CommittedRow>(
      `SELECT number, received_ms AS receivedMs, locked_until_ms AS lockedUntilMs
       FROM snapshots JOIN chains USING (chain) WHERE snapshot_id = ? AND device_id = ?`,
      input.snapshotId,
      input.deviceId,
    ) ?? null
  );
}

function requireNextOf(
  head: Pick<CommitHead, 'snapshotId' | 'sequence'> | undefined,
  input: { sequence: number; previous: string | null },
): void {
  const isNext =
    input.sequence === (head?.sequence ?? 0) + 1 && input.previous === (head?.snapshotId ?? null);
  if (!isNext) throw new CofreError('head_moved');
}

function livenessEpoch(index: IndexConnection): number {
  return (index.get<{ epoch: number }>('SELECT liveness_epoch AS epoch FROM vault') as { epoch: number })
    .epoch;
}

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
  const inHead = index.statement('SELECT 1 FROM head_refs WHERE chain = ? AND chunk = ?');
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
    const isInHead = step.headChain !== null && inHead.get(step.headChain, known.chunk) !== undefined;
    const contradicts = step.isDelta && isInHead !== (step.mode === 'remove');
    if (!isNew || contradicts) conflicts += 1;
  }
  return { missing: Buffer.concat(missing), conflicts };
}

export interface ClosureStep {
  readonly draft: number;
  readonly domain: number;
  readonly chain: number | null;
  readonly isDelta: boolean;
  readonly catalogRoot: Uint8Array;
  readonly after: number;
  /** Ids that one step looks up, about. */
  readonly idsMax: number;
}

/**
 * Checks that whatever the added nodes refer to belongs to the new refset, for some of them.
 * @returns the ids that are not live, how many are live and not in it, and where to go on (null at the end)
 */
export function checkClosure(
  index: IndexConnection,
  step: ClosureStep,
): { missing: PackedIds; outside: number; next: number | null } {
  const missing: Buffer[] = [];
  let outside = 0;
  if (step.after === 0 && !isRootInRefset(index, step)) outside += 1;
  const nodes = index
    .statement(
      `SELECT chunk, ids FROM temp.draft_refs JOIN node_tables USING (chunk)
       WHERE draft = ? AND mode = 'add' AND chunk > ? ORDER BY chunk LIMIT ${NODES_A_STEP}`,
    )
    .all(step.draft, step.after) as { chunk: number; ids: Buffer }[];
  let lookedUp = 0;
  for (const node of nodes) {
    for (let place = 0; place < countOfIds(node.ids); place++) {
      const id = idAt(node.ids, place);
      const found = placeInRefset(index, step, id);
      if (found === 'missing') missing.push(id);
      if (found === 'outside') outside += 1;
    }
    lookedUp += countOfIds(node.ids);
    if (lookedUp >= step.idsMax) return { missing: Buffer.concat(missing), outside, next: node.chunk };
  }
  const next = nodes.length === NODES_A_STEP ? (nodes.at(-1)?.chunk ?? null) : null;
  return { missing: Buffer.concat(missing), outside, next };
}

function placeInRefset(index: IndexConnection, step: ClosureStep, id: Buffer): 'in' | 'outside' | 'missing' {
  const row = index
    .statement('SELECT chunk, state FROM chunks WHERE domain = ? AND chunk_id = ?')
    .get(step.domain, id) as { chunk: number; state: number } | undefined;
  if (row === undefined || row.state !== CHUNK_LIVE) return 'missing';
  return isInRefset(index, step, row.chunk) ? 'in' : 'outside';
}

function isInRefset(index: IndexConnection, step: ClosureStep, chunk: number): boolean {
  const inDraft = index.statement('SELECT 1 FROM temp.draft_refs WHERE draft = ? AND mode = ? AND chunk = ?');
  if (inDraft.get(step.draft, 'add', chunk) !== undefined) return true;
  if (!step.isDelta || step.chain === null) return false;
  if (inDraft.get(step.draft, 'remove', chunk) !== undefined) return false;
  return index.get('SELECT 1 FROM head_refs WHERE chain = ? AND chunk = ?', step.chain, chunk) !== undefined;
}

function isRootInRefset(index: IndexConnection, step: ClosureStep): boolean {
  const root = index.get<{ chunk: number; type: number }>(
    'SELECT chunk, type FROM chunks WHERE domain = ? AND chunk_id = ?',
    step.domain,
    step.catalogRoot,
  );
  return root?.type === BLOB_TYPES.catalog && isInRefset(index, step, root.chunk);
}

export interface FinishCommit extends InSession {
  readonly draft: number;
  readonly session: number;
  readonly domain: number;
  readonly setId: string;
  readonly chain: number | null;
  readonly isDelta: boolean;
  readonly livenessEpoch: number;
  readonly added: number;
  readonly removed: number;
  readonly snapshotId: string;
  readonly sequence: number;
  readonly previous: string | null;
  readonly isComplete: boolean;
  readonly refsetState: Uint8Array;
  readonly refsetCount: number;
  readonly receivedMs: number;
  readonly lockedUntilMs: number;
  readonly manifest: NewObject;
  readonly receipt: NewObject;
}

/**
 * The transaction that makes a snapshot: lease, head, liveness and draft are looked at again in it.
 * @returns `again` when something may have stopped being live since it was checked
 * @throws CofreError of the session, `head_moved`
 */
export function finishCommit(index: IndexConnection, input: FinishCommit): 'committed' | 'again' {
  requireSession(index, input);
  const chain = index.get<{ chain: number; snapshotId: string; sequence: number }>(
    `SELECT chain, head_snapshot AS snapshotId, head_sequence AS sequence FROM chains
     WHERE device_id = ? AND set_id = ?`,
    input.deviceId,
    input.setId,
  );
  requireNextOf(chain, input);
  if (livenessEpoch(index) !== input.livenessEpoch || !isDraftWhole(index, input)) return 'again';
  insertObject(index, input.manifest);
  insertObject(index, input.receipt);
  const number = advanceChain(index, input, chain?.chain ?? null);
  moveRefs(index, input, number);
  insertSnapshot(index, input, number);
  index.run('DELETE FROM staged_parts WHERE session = ?', input.session);
  index.run('UPDATE sessions SET held_snapshot = ? WHERE session = ?', input.snapshotId, input.session);
  renewLease(index, input.session, input.nowMs);
  return 'committed';
}

/** A connection that was closed and opened in between has lost its draft. */
function isDraftWhole(index: IndexConnection, input: FinishCommit): boolean {
  const count = (mode: string): number =>
    (
      index.get<{ count: number }>(
        'SELECT count(*) AS count FROM temp.draft_refs WHERE draft = ? AND mode = ?',
        input.draft,
        mode,
      ) as { count: number }
    ).count;
  return count('add') === input.added && count('remove') === input.removed;
}

function advanceChain(index: IndexConnection, input: FinishCommit, chain: number | null): number {
  const { number } = index.get<{ number: number }>(
    `INSERT INTO chains (chain, device_id, set_id, domain, head_snapshot, head_sequence, refset_state, refset_count)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (device_id, set_id) DO UPDATE SET head_snapshot = excluded.head_snapshot,
       head_sequence = excluded.head_sequence, refset_state = excluded.refset_state,
       refset_count = excluded.refset_count
     RETURNING chain AS number`,
    chain,
    input.deviceId,
    input.setId,
    input.domain,
    input.snapshotId,
    input.sequence,
    input.refsetState,
    input.refsetCount,
  ) as { number: number };
  return number;
}

/** Ends the intervals of what the new head does not need, and begins those of what it adds. */
function moveRefs(index: IndexConnection, input: FinishCommit, chain: number): void {
  const leaving = input.isDelta
    ? `chunk IN (SELECT chunk FROM temp.draft_refs WHERE draft = @draft AND mode = 'remove')`
    : `chunk NOT IN (SELECT chunk FROM temp.draft_refs WHERE draft = @draft AND mode = 'add')`;
  const values = { chain, draft: input.draft, sequence: input.sequence };
  index.run(
    `INSERT INTO past_refs (chain, chunk, from_sequence, to_sequence)
     SELECT chain, chunk, from_sequence, @sequence FROM head_refs WHERE chain = @chain AND ${leaving}`,
    values,
  );
  index.run(`DELETE FROM head_refs WHERE chain = @chain AND ${leaving}`, values);
  index.run(
    `INSERT INTO head_refs (chain, chunk, from_sequence)
     SELECT @chain, chunk, @sequence FROM temp.draft_refs WHERE draft = @draft AND mode = 'add'
     ON CONFLICT DO NOTHING`,
    values,
  );
}

function insertSnapshot(index: IndexConnection, input: FinishCommit, chain: number): void {
  index.run(
    `INSERT INTO snapshots (number, snapshot_id, receipt, chain, sequence, is_complete, received_ms, locked_until_ms,
       refset_count)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    input.manifest.number,
    input.snapshotId,
    input.receipt.number,
    chain,
    input.sequence,
    input.isComplete ? 1 : 0,
    input.receivedMs,
    input.lockedUntilMs,
    input.refsetCount,
  );
}
