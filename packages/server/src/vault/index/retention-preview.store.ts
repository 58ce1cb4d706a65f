import type { IndexConnection } from './connection.ts';

/**
 * Counts what would be freed if some snapshots went, without changing anything: the rows that they alone have are
 * collected in the connection's memory, and a chunk is free when these are all the rows that there are of it. The cost
 * is that of the rows which would go.
 */

/** Snapshots between two that stay: those from after `previous` to before `next` have no content then. */
export interface PreviewGap {
  readonly chain: number;
  readonly previous: number;
  /** Null when the head goes too. */
  readonly next: number | null;
}

/** Where a step ended: the row after which to go on. */
export interface PreviewPlace {
  readonly ending: number;
  readonly fromSequence: number;
  readonly chunk: number;
}

interface PreviewStep {
  readonly draft: number;
  readonly gap: PreviewGap;
  readonly rowsMax: number;
}

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Collects rows of the past that only snapshots of the gap have. @returns where to go on, null at the end */
export function previewPast(
  index: IndexConnection,
  step: PreviewStep & { after: PreviewPlace | null },
): PreviewPlace | null {
  index.drafts.add(step.draft);
  const { gap, draft } = step;
  let place = step.after ?? endingAfter(index, gap, gap.previous);
  for (let left = step.rowsMax; place !== null && left > 0;) {
    const rows: Omit<PreviewPlace, 'ending'>[] = index.all(
      `SELECT chunk, from_sequence AS fromSequence FROM past_refs
       WHERE chain = ? AND to_sequence = ? AND (from_sequence, chunk) > (?, ?)
       ORDER BY from_sequence, chunk LIMIT ?`,
      gap.chain,
      place.ending,
      place.fromSequence,
      place.chunk,
      left,
    );
    for (const { chunk } of rows) collect(index, draft, chunk);
    left -= Math.max(1, rows.length);
    const last = rows.at(-1);
    place = last === undefined ? endingAfter(index, gap, place.ending) : { ending: place.ending, ...last };
  }
  return place;
}

/** In front of the rows with the next ending that begin within the gap. */
function endingAfter(index: IndexConnection, gap: PreviewGap, after: number): PreviewPlace | null {
  const found = index.get<{ ending: number | null }>(
    'SELECT min(to_sequence) AS ending FROM past_refs WHERE chain = ? AND to_sequence > ? AND to_sequence <= ?',
    gap.chain,
    after,
    gap.next ?? NO_LIMIT,
  );
  const ending = found?.ending ?? null;
  return ending === null ? null : { ending, fromSequence: gap.previous, chunk: NO_LIMIT };
}

/** Collects what only a head that goes has. @returns the chunk after which to go on, null at the end */
export function previewHead(index: IndexConnection, step: PreviewStep & { after: number }): number | null {
  index.drafts.add(step.draft);
  const rows = index.all<{ chunk: number; fromSequence: number }>(
    `SELECT chunk, from_sequence AS fromSequence FROM head_refs WHERE chain = ? AND chunk > ? ORDER BY chunk LIMIT ?`,
    step.gap.chain,
    step.after,
    step.rowsMax,
  );
  for (const { chunk, fromSequence } of rows) {
    if (fromSequence > step.gap.previous) collect(index, step.draft, chunk);
  }
  return rows.at(-1)?.chunk ?? null;
}

function collect(index: IndexConnection, draft: number, chunk: number): void {
  index.run(
    `INSERT INTO temp.draft_releases (draft, chunk, holds) VALUES (?, ?, 1)
     ON CONFLICT DO UPDATE SET holds = holds + 1`,
    draft,
    chunk,
  );
}

/** Adds up some of the collected chunks that nothing else holds; `last` is where to go on. */
export function sumPreview(
  index: IndexConnection,
  input: { draft: number; after: number; limit: number },
): { bytes: number; last: number | null } {
  return index.get<{ bytes: number; last: number | null }>(
    `SELECT coalesce(sum(length) FILTER (WHERE holds =
         (SELECT count(*) FROM head_refs WHERE head_refs.chunk = some.chunk) +
         (SELECT count(*) FROM past_refs WHERE past_refs.chunk = some.chunk)), 0) AS bytes,
       max(some.chunk) AS last
     FROM (SELECT chunk, holds FROM temp.draft_releases WHERE draft = @draft AND chunk > @after
       ORDER BY chunk LIMIT @limit) AS some JOIN chunks USING (chunk)`,
    input,
  ) as { bytes: number; last: number | null };
}

/** Forgets what was collected. */
export function clearPreview(index: IndexConnection, input: { draft: number }): void {
  index.run('DELETE FROM temp.draft_releases WHERE draft = ?', input.draft);
  index.drafts.delete(input.draft);
}
