import { objectPath, type StoredKind } from '../layout.ts';
import type { IndexConnection } from './connection.ts';
import { requireQuota } from './quota.store.ts';

/** An object before it has a number. What a device brings counts towards the quota: `meteredBytes`, else 0. */
export interface ObjectToCome {
  readonly kind: StoredKind;
  readonly meteredBytes: number;
}

/**
 * Takes numbers for objects that are about to be written, notes their files, and reserves what they take.
 * @throws CofreError `over_quota`
 */
export function beginObjects(
  index: IndexConnection,
  input: { objects: readonly ObjectToCome[]; nowMs: number },
): { numbers: number[] } {
  const meteredBytes = input.objects.reduce((sum, object) => sum + object.meteredBytes, 0);
  if (meteredBytes > 0) requireQuota(index, meteredBytes);
  const { first } = index.get<{ first: number }>(
    'UPDATE vault SET next_object = next_object + ? RETURNING next_object AS first',
    input.objects.length,
  ) as { first: number };
  const numbers = input.objects.map((_, place) => first - input.objects.length + place);
  input.objects.forEach((object, place) => {
    const path = objectPath(numbers[place] as number, object.kind);
    addIntent(index, path, object.meteredBytes, input.nowMs);
  });
  return { numbers };
}

/** Notes that a file is about to get this name, and quota that it may take. */
export function addIntent(index: IndexConnection, path: string, reservedBytes: number, nowMs: number): void {
  index.run(
    'INSERT INTO intents (path, reserved_bytes, since_ms) VALUES (?, ?, ?)',
    path,
    reservedBytes,
    nowMs,
  );
}

/** The file has its rows now, or was never made. */
export function dropIntents(index: IndexConnection, input: { paths: readonly string[] }): void {
  for (const path of input.paths) index.run('DELETE FROM intents WHERE path = ?', path);
}

/**
 * Says that these files are about to be unlinked; what they were meant to be is forgotten. Rows take the place of an
 * intent in the transaction that adds them: a file without an intent has its rows, or is not ours, and stays.
 * @returns the files that may be unlinked
 */
export function doomFiles(index: IndexConnection, input: { paths: readonly string[] }): string[] {
  return input.paths.filter((path) => {
    if (index.run('DELETE FROM intents WHERE path = ?', path) === 0) return false;
    index.run('INSERT INTO doomed (path) VALUES (?) ON CONFLICT DO NOTHING', path);
    return true;
  });
}

/** The files are gone, durably. */
export function forgetDoomed(index: IndexConnection, input: { paths: readonly string[] }): void {
  for (const path of input.paths) index.run('DELETE FROM doomed WHERE path = ?', path);
}

/** What a process that ended left unfinished, `limit` of each at most. */
export function listUnfinished(
  index: IndexConnection,
  input: { limit: number },
): { intents: string[]; doomed: string[] } {
  const paths = (table: 'intents' | 'doomed'): string[] =>
    index
      .all<{ path: string }>(`SELECT path FROM ${table} ORDER BY path LIMIT ?`, input.limit)
      .map(({ path }) => path);
  return { intents: paths('intents'), doomed: paths('doomed') };
}
