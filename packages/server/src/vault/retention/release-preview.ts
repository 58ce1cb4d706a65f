import type { PreviewGap, PreviewPlace } from '../index/retention-preview.store.ts';
import type { RetainedRow } from '../index/retention.store.ts';
import type { VaultContext } from '../vault-context.ts';

/** Rows that one step looks at: some tens of milliseconds on a thread that others wait for too. */
const STEP_ROWS = 2_000;

/** Commits count their drafts upwards from 1 in the same connection. */
let lastDraft = 0;

/**
 * Stored length of what nothing would hold any more if some snapshots went, chunks that several sets share included.
 * It costs what would go, however much there is.
 * @param rows all snapshots of the vault
 * @param going ids of those that go
 */
export async function countFreedBytes(
  vault: VaultContext,
  rows: readonly RetainedRow[],
  going: ReadonlySet<string>,
): Promise<number> {
  if (going.size === 0) return 0;
  const draft = --lastDraft;
  try {
    for (const gap of gapsOf(rows, going)) await collectGap(vault, draft, gap);
    let freedBytes = 0;
    for (let after: number | null = 0; after !== null;) {
      const step: { bytes: number; last: number | null } = await vault.index.call('sumPreview', {
        draft,
        after,
        limit: STEP_ROWS,
      });
      freedBytes += step.bytes;
      after = step.last;
    }
    return freedBytes;
  } finally {
    if (!vault.gate.hasFailed) await vault.index.call('clearPreview', { draft });
  }
}

async function collectGap(vault: VaultContext, draft: number, gap: PreviewGap): Promise<void> {
  const step = { draft, gap, rowsMax: STEP_ROWS };
  let place: PreviewPlace | null = null;
  do place = await vault.index.call('previewPast', { ...step, after: place });
  while (place !== null);
  if (gap.next !== null) return;
  for (let after: number | null = 0; after !== null;) {
    after = await vault.index.call('previewHead', { ...step, after });
  }
}

/**
 * Runs of snapshots of a chain that have no content, or would have none, each between its neighbours that keep theirs.
 * Runs in which nothing goes now are left out: what they had is gone already.
 */
export function gapsOf(
  rows: readonly Pick<RetainedRow, 'snapshotId' | 'chain' | 'sequence' | 'isGone'>[],
  going: ReadonlySet<string>,
): PreviewGap[] {
  const gaps: PreviewGap[] = [];
  for (const [chain, set] of Map.groupBy(rows, (row) => row.chain)) {
    let previous = 0;
    let goes = false;
    for (const row of set.toSorted((one, other) => one.sequence - other.sequence)) {
      if (going.has(row.snapshotId)) goes = true;
      else if (row.isGone === 0) {
        if (goes) gaps.push({ chain, previous, next: row.sequence });
        previous = row.sequence;
        goes = false;
      }
    }
    if (goes) gaps.push({ chain, previous, next: null });
  }
  return gaps;
}
