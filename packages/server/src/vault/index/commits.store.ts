import { CofreError } from '@cofre/shared/errors';
import type { IndexConnection } from './connection.ts';
import { insertObject, type NewObject } from './objects.store.ts';
import { requireHeadForDelta } from './retention-release.store.ts';
import { renewLease, requireSession, type InSession } from './sessions.store.ts';

/**
 * Where a commit starts, and the one transaction in which it takes effect (`finishCommit`), which looks again at
 * everything that may have changed while it was prepared (`commit-draft.store.ts`).
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
      readonly lockMs: number;
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
    const sql = 'SELECT 1 FROM snapshots WHERE snapshot_id = ? AND deleted_ms IS NULL';
    if (index.get(sql, snapshotId) === undefined) {
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
    lockMs: (index.get<{ lockMs: number }>('SELECT lock_ms AS lockMs FROM vault') as { lockMs: number })
      .lockMs,
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
  readonly requires: readonly string[];
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
 * @throws CofreError of the session, `head_moved`, `refset_mismatch` when what it goes on from is gone
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
  if (input.isDelta) requireHeadForDelta(index, input.chain);
  if (livenessEpoch(index) !== input.livenessEpoch || !isDraftWhole(index, input)) return 'again';
  insertObject(index, input.manifest);
  insertObject(index, input.receipt);
  const number = advanceChain(index, input, chain?.chain ?? null);
  moveRefs(index, input, number);
  insertSnapshot(index, input, number);
  for (const required of input.requires) {
    const sql = 'INSERT INTO snapshot_requires (number, required) VALUES (?, ?) ON CONFLICT DO NOTHING';
    index.run(sql, input.manifest.number, required);
  }
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

/**
 * Ends the intervals of what the new head does not need, and begins those of what it adds. What one of the two
 * holds is not loose any more.
 */
function moveRefs(index: IndexConnection, input: FinishCommit, chain: number): void {
  const leaving = input.isDelta
    ? `chunk IN (SELECT chunk FROM temp.draft_refs WHERE draft = @draft AND mode = 'remove')`
    : `chunk NOT IN (SELECT chunk FROM temp.draft_refs WHERE draft = @draft AND mode = 'add')`;
  const values = { chain, draft: input.draft, sequence: input.sequence };
  countBytes(index, leaving, values);
  index.run(
    `INSERT INTO past_refs (chain, chunk, from_sequence, to_sequence)
     SELECT chain, chunk, from_sequence, @sequence FROM head_refs WHERE chain = @chain AND ${leaving}`,
    values,
  );
  index.run(`DELETE FROM head_refs WHERE chain = @chain AND ${leaving}`, values);
  index.run(
    `INSERT INTO head_refs (chain, chunk, from_sequence, parents)
     SELECT @chain, chunk, @sequence, parents FROM temp.draft_refs WHERE draft = @draft AND mode = 'add'
     ON CONFLICT DO UPDATE SET parents = excluded.parents`,
    values,
  );
  index.run(
    `UPDATE head_refs SET parents = head_refs.parents + draft_refs.parents FROM temp.draft_refs
     WHERE draft = @draft AND mode = 'keep' AND chain = @chain AND head_refs.chunk = draft_refs.chunk`,
    values,
  );
  index.run(
    `DELETE FROM loose_chunks WHERE chunk IN
       (SELECT chunk FROM temp.draft_refs WHERE draft = @draft AND mode = 'add')`,
    values,
  );
}

/** Moves stored lengths between head and past of a chain, before its refs move. */
function countBytes(
  index: IndexConnection,
  leaving: string,
  values: { chain: number; draft: number; sequence: number },
): void {
  index.run(
    `WITH
       gone (bytes) AS (
         SELECT coalesce(sum(length), 0) FROM head_refs JOIN chunks USING (chunk) WHERE chain = @chain AND ${leaving}
       ),
       come (bytes, returned) AS (
         SELECT coalesce(sum(length), 0), coalesce(sum(iif(EXISTS (
             SELECT 1 FROM past_refs WHERE past_refs.chain = @chain AND past_refs.chunk = draft_refs.chunk
           ), length, 0)), 0)
         FROM temp.draft_refs JOIN chunks USING (chunk)
         WHERE draft = @draft AND mode = 'add' AND NOT EXISTS (
           SELECT 1 FROM head_refs WHERE head_refs.chain = @chain AND head_refs.chunk = draft_refs.chunk
         )
       )
     UPDATE chains SET head_bytes = head_bytes + come.bytes - gone.bytes,
       past_bytes = past_bytes + gone.bytes - come.returned
     FROM gone, come WHERE chain = @chain`,
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
