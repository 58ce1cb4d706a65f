import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';

/**
 * What a set keeps. A snapshot stays when any part of the rule wants it; a part that is 0 wants nothing.
 *
 * Counts are of hours, days … that have a snapshot: a computer that is silent loses nothing.
 */
export interface RetentionRule {
  /** The newest ones; those of one hour count as one. */
  readonly keepLast: number;
  /** All that were received in so many days. */
  readonly keepDays: number;
  /** The first one of each of the last so many hours, days, weeks (from Monday), months, years. */
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly yearly: number;
  /** Every one until the one after it has been there for so many days: what was changed or deleted stays as long. */
  readonly changedAndDeletedDays: number;
}

/** The parts of a rule, in the order in which they are told. */
export const RULE_PARTS = [
  'keepLast',
  'keepDays',
  'hourly',
  'daily',
  'weekly',
  'monthly',
  'yearly',
  'changedAndDeletedDays',
] as const satisfies readonly (keyof RetentionRule)[];
export type RulePart = (typeof RULE_PARTS)[number];

const DAY_PARTS: readonly RulePart[] = ['keepDays', 'changedAndDeletedDays'];

/** The largest value of a part: days for those that count days, else a count of snapshots. */
export function rulePartMax(part: RulePart): number {
  return DAY_PARTS.includes(part) ? LIMITS.retentionDaysMax : LIMITS.retentionCountMax;
}

/**
 * A rule from what somebody gave of it; what is missing is 0.
 * @throws CofreError `invalid_request` for what is no count in bounds; `rule_keeps_nothing`
 */
export function parseRetentionRule(given: Readonly<Record<string, unknown>>): RetentionRule {
  const unknown = Object.keys(given).find((name) => !(RULE_PARTS as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new CofreError('invalid_request', { problem: `a retention rule has no part "${unknown}"` });
  }
  const rule = Object.fromEntries(RULE_PARTS.map((part) => [part, countOf(part, given[part])]));
  if (Object.values(rule).every((count) => count === 0)) throw new CofreError('rule_keeps_nothing');
  return rule as unknown as RetentionRule;
}

function countOf(part: RulePart, value: unknown): number {
  if (value === undefined) return 0;
  const max = rulePartMax(part);
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new CofreError('invalid_request', { problem: `${part} has to be a whole number from 0 to ${max}` });
}

/**
 * Whether days and months can be counted in this time zone (a name such as `America/Santiago`).
 * @throws CofreError `invalid_request`
 */
export function requireTimeZone(zone: string): void {
  try {
    Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions();
  } catch (cause) {
    throw new CofreError(
      'invalid_request',
      { problem: `there is no time zone "${zone.slice(0, 60)}"` },
      { cause },
    );
  }
}
