import { LIMITS } from '@cofre/shared/limits';

const DAY_MS = 24 * 60 * 60 * 1000;
/** 1 January 1970 was a Thursday: weeks begin on Mondays. */
const WEEKDAY_OFFSET = 3;

/** When a copy was taken, and its name. */
export interface TakenCopy {
  readonly name: string;
  readonly takenMs: number;
}

/** The day that a time belongs to, in UTC. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS);
}

/**
 * Which copies may go: all but the newest of each of the last days and weeks that have any. Days without a copy do not
 * count, so that nothing goes only because time has passed.
 */
export function copiesToRemove(copies: readonly TakenCopy[]): TakenCopy[] {
  const newestFirst = copies.toSorted((one, other) => other.takenMs - one.takenMs);
  const weekOf = (timeMs: number): number => Math.floor((dayOf(timeMs) + WEEKDAY_OFFSET) / 7);
  const kept = new Set([
    ...newestOfEach(newestFirst, dayOf, LIMITS.applianceCopiesDailyMax),
    ...newestOfEach(newestFirst, weekOf, LIMITS.applianceCopiesWeeklyMax),
  ]);
  return newestFirst.filter((copy) => !kept.has(copy));
}

function newestOfEach(
  newestFirst: readonly TakenCopy[],
  periodOf: (timeMs: number) => number,
  countMax: number,
): TakenCopy[] {
  const newest = new Map<number, TakenCopy>();
  for (const copy of newestFirst) {
    const period = periodOf(copy.takenMs);
    if (!newest.has(period) && newest.size < countMax) newest.set(period, copy);
  }
  return [...newest.values()];
}
