import type { RetainedSnapshotItem } from '@cofre/shared/wire/retention';
import { safeName } from './output.ts';

const REASONS: Readonly<Record<string, string>> = {
  no_rule: 'no rule',
  keep_last: 'among the last',
  keep_days: 'young enough',
  hourly: 'of its hour',
  daily: 'of its day',
  weekly: 'of its week',
  monthly: 'of its month',
  yearly: 'of its year',
  changed_and_deleted: 'not replaced long enough',
  newest: 'the newest',
  last_complete: 'the last complete one',
  locked: 'locked',
  held: 'in use by a session',
  brought_back: 'brought back',
  required: 'another one needs it',
  not_kept: 'no part of the rule keeps it',
};

const DELETED: Readonly<Record<string, string>> = {
  rule: 'by its rule',
  person: 'by a person',
  set: 'with its whole set',
};

/** Why a snapshot stays or goes, in words; what a newer server says stays as it is. */
export function describeReasons({ state, reasons, deleteReason }: RetainedSnapshotItem): string {
  if (state === 'deleted' && deleteReason !== null) return DELETED[deleteReason] ?? safeName(deleteReason);
  return reasons.map(({ code }) => REASONS[code] ?? safeName(code)).join(', ');
}

/** A time for people, in days. */
export function formatDays(timeMs: number): string {
  const days = timeMs / 86_400_000;
  return `${Number.isInteger(days) ? days : days.toFixed(1)} days`;
}
