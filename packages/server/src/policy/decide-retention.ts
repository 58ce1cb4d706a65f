import { Calendar, type CalendarUnit } from './calendar.ts';
import type { RetentionRule } from './retention-rule.ts';

/** A snapshot as rules see it. All times are service time in ms. */
export interface RetainedSnapshot {
  readonly snapshotId: string;
  /** Ascends within a set. */
  readonly sequence: number;
  readonly receivedMs: number;
  /** Nothing deletes it before: the receipt's time, or a later one since the lock was extended. */
  readonly lockedUntilMs: number;
  /** False for a checkpoint of a run that was not finished. */
  readonly isComplete: boolean;
  /** The device that signed it stands in the newest roster with that key. */
  readonly isConfirmed: boolean;
  /** An open session goes on from it. */
  readonly isHeld: boolean;
  /** A person undid its deletion. */
  readonly isBroughtBack: boolean;
  /** Ids of snapshots that it can't be restored without, of whatever set. */
  readonly requires: readonly string[];
  /** What was deleted before is never kept or deleted again, and yet says which hours are taken. */
  readonly isDeleted: boolean;
}

/** Why a snapshot stays or goes. Codes are stable: they are shown to programs. */
export type RetentionReasonCode =
  | 'no_rule'
  | 'keep_last'
  | 'keep_days'
  | CalendarUnit
  | 'changed_and_deleted'
  | 'newest'
  | 'last_complete'
  | 'locked'
  | 'held'
  | 'brought_back'
  | 'required'
  | 'not_kept';

export interface RetentionReason {
  readonly code: RetentionReasonCode;
  /** When this reason ends by itself; null when only other snapshots, or people, can end it. */
  readonly untilMs: number | null;
}

export interface RetentionDecision {
  readonly snapshotId: string;
  readonly isKept: boolean;
  /** All of them, never empty. */
  readonly reasons: readonly RetentionReason[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CALENDAR_UNITS: readonly CalendarUnit[] = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'];

type Reasons = Map<string, RetentionReason[]>;

/**
 * Decides about the snapshots of one set. Whatever the rule says, these stay: the newest one (the next run goes on from
 * it), the last complete one, what is locked, held or was brought back, and what a snapshot that stays requires.
 *
 * Whoever can add snapshots must not be able to push out what was there: for counts, complete snapshots that follow
 * within an hour of each other are one, of which the first stands for all, whatever was added later; partial ones count
 * for nothing; and those that the roster does not confirm are counted apart from those that it does.
 *
 * @param rule null keeps everything
 * @param zone IANA name of the time zone in which days, weeks, months and years are counted
 * @returns a decision for each snapshot that was not deleted before, in ascending order
 */
export function decideRetention(
  snapshots: readonly RetainedSnapshot[],
  rule: RetentionRule | null,
  nowMs: number,
  zone: string,
): RetentionDecision[] {
  const ordered = snapshots.toSorted((one, other) => one.sequence - other.sequence);
  const present = ordered.filter(({ isDeleted }) => !isDeleted);
  const reasons: Reasons = new Map(present.map(({ snapshotId }) => [snapshotId, []]));
  if (rule === null) {
    for (const { snapshotId } of present) addReason(reasons, snapshotId, 'no_rule');
  } else {
    const calendar = new Calendar(zone);
    for (const isConfirmed of [true, false]) {
      const counted = ordered.filter((one) => one.isComplete && one.isConfirmed === isConfirmed);
      applyCounts(hoursOf(counted), rule, calendar, reasons);
    }
    applyDays(present, rule, nowMs, reasons);
  }
  keepWhatMustStay(present, nowMs, reasons);
  const decisions = present.map(({ snapshotId }) => decisionOf(snapshotId, reasons.get(snapshotId) ?? []));
  return keepRequired(decisions, present);
}

/**
 * Keeps what kept snapshots require, and what these require: once over all sets of a tenant, because a snapshot may
 * require one of another set.
 */
export function keepRequired(
  decisions: readonly RetentionDecision[],
  snapshots: readonly Pick<RetainedSnapshot, 'snapshotId' | 'requires'>[],
): RetentionDecision[] {
  const requires = new Map(snapshots.map((snapshot) => [snapshot.snapshotId, snapshot.requires]));
  const kept = new Set(decisions.filter(({ isKept }) => isKept).map(({ snapshotId }) => snapshotId));
  const required = new Set<string>();
  // A set that grows while it is walked: what is added to it is visited too.
  for (const snapshotId of kept) {
    for (const other of requires.get(snapshotId) ?? []) {
      required.add(other);
      kept.add(other);
    }
  }
  return decisions.map((decision) => {
    const { snapshotId, isKept, reasons } = decision;
    if (!required.has(snapshotId) || reasons.some(({ code }) => code === 'required')) return decision;
    const others = isKept ? reasons : [];
    return { snapshotId, isKept: true, reasons: [...others, { code: 'required', untilMs: null }] };
  });
}

/** Until when a kept snapshot stays for reasons that end by themselves; null when one of them does not. */
export function keptUntilMs({ isKept, reasons }: RetentionDecision): number | null {
  if (!isKept) return null;
  let untilMs = 0;
  for (const reason of reasons) {
    if (reason.untilMs === null) return null;
    untilMs = Math.max(untilMs, reason.untilMs);
  }
  return untilMs;
}

/**
 * Complete snapshots in groups of an hour, from the oldest on, so that what comes later never changes an earlier group.
 * Deleted ones keep their place in it: otherwise a deletion would move the hours of all that follow.
 */
function hoursOf(counted: readonly RetainedSnapshot[]): RetainedSnapshot[][] {
  const hours: RetainedSnapshot[][] = [];
  let startMs = Number.NEGATIVE_INFINITY;
  for (const snapshot of counted) {
    if (snapshot.receivedMs >= startMs + HOUR_MS) {
      startMs = snapshot.receivedMs;
      hours.push([]);
    }
    hours.at(-1)?.push(snapshot);
  }
  return hours.map((hour) => hour.filter(({ isDeleted }) => !isDeleted)).filter((hour) => hour.length > 0);
}

function applyCounts(
  hours: readonly (readonly RetainedSnapshot[])[],
  rule: RetentionRule,
  calendar: Calendar,
  reasons: Reasons,
): void {
  const last = rule.keepLast === 0 ? [] : hours.slice(-rule.keepLast);
  for (const { snapshotId } of last.flat()) addReason(reasons, snapshotId, 'keep_last');
  const firsts = hours.map((hour) => hour[0] as RetainedSnapshot);
  for (const unit of CALENDAR_UNITS) {
    if (rule[unit] === 0) continue;
    const byUnit = new Map<string, string>();
    for (const { snapshotId, receivedMs } of firsts) {
      const name = calendar.unitOf(receivedMs, unit);
      if (!byUnit.has(name)) byUnit.set(name, snapshotId);
    }
    for (const snapshotId of [...byUnit.values()].slice(-rule[unit])) addReason(reasons, snapshotId, unit);
  }
}

/** Times pass for every snapshot alike, partial and unconfirmed ones too. */
function applyDays(
  present: readonly RetainedSnapshot[],
  rule: RetentionRule,
  nowMs: number,
  reasons: Reasons,
): void {
  // By what it is replaced: a confirmed snapshot by a confirmed one only.
  const replacedMs: { byConfirmed: number | null; byAny: number | null } = { byConfirmed: null, byAny: null };
  for (const { snapshotId, receivedMs, isComplete, isConfirmed } of present.toReversed()) {
    addUntil(reasons, snapshotId, 'keep_days', receivedMs + rule.keepDays * DAY_MS, nowMs);
    if (rule.changedAndDeletedDays > 0) {
      const sinceMs = isConfirmed ? replacedMs.byConfirmed : replacedMs.byAny;
      const untilMs = sinceMs === null ? null : sinceMs + rule.changedAndDeletedDays * DAY_MS;
      if (untilMs === null) addReason(reasons, snapshotId, 'changed_and_deleted');
      else addUntil(reasons, snapshotId, 'changed_and_deleted', untilMs, nowMs);
    }
    if (!isComplete) continue;
    replacedMs.byAny = receivedMs;
    if (isConfirmed) replacedMs.byConfirmed = receivedMs;
  }
}

function keepWhatMustStay(present: readonly RetainedSnapshot[], nowMs: number, reasons: Reasons): void {
  for (const { snapshotId, lockedUntilMs, isHeld, isBroughtBack } of present) {
    addUntil(reasons, snapshotId, 'locked', lockedUntilMs, nowMs);
    if (isHeld) addReason(reasons, snapshotId, 'held');
    if (isBroughtBack) addReason(reasons, snapshotId, 'brought_back');
  }
  const newest = present.at(-1);
  if (newest !== undefined) addReason(reasons, newest.snapshotId, 'newest');
  const complete = present.filter(({ isComplete }) => isComplete);
  const last = complete.findLast(({ isConfirmed }) => isConfirmed) ?? complete.at(-1);
  if (last !== undefined) addReason(reasons, last.snapshotId, 'last_complete');
}

function addUntil(
  reasons: Reasons,
  snapshotId: string,
  code: RetentionReasonCode,
  untilMs: number,
  nowMs: number,
): void {
  if (nowMs < untilMs) reasons.get(snapshotId)?.push({ code, untilMs });
}

function addReason(reasons: Reasons, snapshotId: string, code: RetentionReasonCode): void {
  reasons.get(snapshotId)?.push({ code, untilMs: null });
}

function decisionOf(snapshotId: string, reasons: readonly RetentionReason[]): RetentionDecision {
  if (reasons.length > 0) return { snapshotId, isKept: true, reasons };
  return { snapshotId, isKept: false, reasons: [{ code: 'not_kept', untilMs: null }] };
}
