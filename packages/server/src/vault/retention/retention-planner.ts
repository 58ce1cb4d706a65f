import { signerId } from '@cofre/shared/format/envelope/signed-object';
import type { DeviceId, SetId, SnapshotId } from '@cofre/shared/ids';
import {
  decideRetention,
  keepRequired,
  keptUntilMs,
  type RetainedSnapshot,
  type RetentionDecision,
} from '../../policy/decide-retention.ts';
import type { RetainedRow } from '../index/retention.store.ts';
import type { VaultContext } from '../vault-context.ts';
import type { RetainedItem } from './retention.ts';
import type { RetentionChoices } from './retention-settings.ts';

/** Rows that one step reads: some milliseconds on a thread that others wait for too. */
const STEP_ROWS = 1_000;

/** What is to become of every snapshot of a vault at one time. Nothing is done yet. */
export interface RetentionPlan {
  readonly nowMs: number;
  readonly rows: readonly RetainedRow[];
  readonly items: readonly RetainedItem[];
}

/**
 * Decides about all sets: a snapshot may require one of another set.
 * @param choices what each set is kept by
 */
export async function planRetention(vault: VaultContext, choices: RetentionChoices): Promise<RetentionPlan> {
  const nowMs = vault.nowMs();
  const signers = await readSigners(vault);
  const rows = await readRows(vault, nowMs);
  const decisions: RetentionDecision[] = [];
  const snapshots: RetainedSnapshot[] = [];
  for (const set of Map.groupBy(rows, ({ chain }) => chain).values()) {
    const [first] = set as [RetainedRow];
    const target = { deviceId: first.deviceId as DeviceId, setId: first.setId as SetId };
    const choice = choices.effective(target);
    const retained = set.map((row) => retainedFrom(row, signers));
    snapshots.push(...retained);
    decisions.push(
      ...(choice.mode === 'rule'
        ? decideRetention(retained, choice.rule, nowMs, choice.timeZone)
        : decideRetention(retained, null, nowMs, 'UTC')),
    );
  }
  const decided = keepRequired(decisions, snapshots);
  const byId = new Map(decided.map((decision) => [decision.snapshotId, decision]));
  const softDeleteMs = (await vault.index.call('describeVault', undefined))?.softDeleteMs ?? 0;
  const items = rows.map((row) => itemFrom(row, byId.get(row.snapshotId), nowMs + softDeleteMs));
  return { nowMs, rows, items };
}

async function readRows(vault: VaultContext, nowMs: number): Promise<RetainedRow[]> {
  const rows: RetainedRow[] = [];
  for (let after = 0; ;) {
    const step = await vault.index.call('listRetained', { after, limit: STEP_ROWS, nowMs });
    rows.push(...step);
    const last = step.at(-1);
    if (last === undefined || step.length < STEP_ROWS) return rows;
    after = last.number;
  }
}

/** By device, the name of the key that the newest roster gives it. */
async function readSigners(vault: VaultContext): Promise<ReadonlyMap<string, string>> {
  const keys = await vault.index.call('listRosterKeys', undefined);
  return new Map(
    keys.map(({ deviceId, signingKey }) => [deviceId, signerId(Buffer.from(signingKey, 'hex'))]),
  );
}

function retainedFrom(row: RetainedRow, signers: ReadonlyMap<string, string>): RetainedSnapshot {
  return {
    snapshotId: row.snapshotId,
    sequence: row.sequence,
    receivedMs: row.receivedMs,
    lockedUntilMs: row.lockedUntilMs,
    isComplete: row.isComplete === 1,
    isConfirmed: signers.get(row.deviceId) === row.signer,
    isHeld: row.isHeld === 1,
    isBroughtBack: row.isBroughtBack === 1,
    requires: row.requires?.split(',') ?? [],
    isDeleted: row.deletedMs !== null,
  };
}

/** @param contentUntilMs when the content of what goes now would go, if its lock is over by then */
function itemFrom(
  row: RetainedRow,
  decision: RetentionDecision | undefined,
  contentUntilMs: number,
): RetainedItem {
  const stays = decision?.isKept ?? false;
  return {
    snapshotId: row.snapshotId as SnapshotId,
    number: row.number,
    deviceId: row.deviceId as DeviceId,
    setId: row.setId as SetId,
    sequence: row.sequence,
    receivedMs: row.receivedMs,
    lockedUntilMs: row.lockedUntilMs,
    isComplete: row.isComplete === 1,
    state: row.isGone === 1 ? 'gone' : row.deletedMs === null ? 'kept' : 'deleted',
    stays,
    reasons: decision?.reasons ?? [],
    untilMs: untilOf(row, decision, Math.max(contentUntilMs, row.lockedUntilMs)),
    deleteReason: row.deleteReason,
  };
}

function untilOf(row: RetainedRow, decision: RetentionDecision | undefined, goneMs: number): number | null {
  if (row.isGone === 1) return null;
  if (decision === undefined) return Math.max(row.contentUntilMs ?? 0, row.lockedUntilMs);
  return decision.isKept ? keptUntilMs(decision) : goneMs;
}
