import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideRetention, keepRequired, keptUntilMs, type RetainedSnapshot } from './decide-retention.ts';
import { parseRetentionRule, type RetentionRule } from './retention-rule.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 0, 1);

function rule(parts: Partial<RetentionRule>): RetentionRule {
  return parseRetentionRule(parts);
}

/** Snapshots received at these times, unlocked, complete and confirmed unless `change` says otherwise. */
function received(
  timesMs: readonly number[],
  change: (place: number) => Partial<RetainedSnapshot> = () => ({}),
): RetainedSnapshot[] {
  return timesMs.map((receivedMs, place) => ({
    snapshotId: `s${place + 1}`,
    sequence: place + 1,
    receivedMs,
    lockedUntilMs: 0,
    isComplete: true,
    isConfirmed: true,
    isHeld: false,
    isBroughtBack: false,
    requires: [],
    isDeleted: false,
    ...change(place),
  }));
}

function at(...texts: string[]): number[] {
  return texts.map((text) => Date.parse(text));
}

function kept(
  snapshots: readonly RetainedSnapshot[],
  wanted: RetentionRule | null,
  nowMs = START_MS + 10_000 * DAY_MS,
  zone = 'UTC',
): string[] {
  return decideRetention(snapshots, wanted, nowMs, zone)
    .filter(({ isKept }) => isKept)
    .map(({ snapshotId }) => snapshotId);
}

function codesOf(
  snapshots: readonly RetainedSnapshot[],
  wanted: RetentionRule | null,
  nowMs = START_MS + 10_000 * DAY_MS,
): Record<string, string[]> {
  const decisions = decideRetention(snapshots, wanted, nowMs, 'UTC');
  return Object.fromEntries(decisions.map((one) => [one.snapshotId, one.reasons.map(({ code }) => code)]));
}

const daily = (count: number): number[] => Array.from({ length: count }, (_, day) => START_MS + day * DAY_MS);

describe('each part of a rule', () => {
  test('without a rule everything stays, and says so', () => {
    expect(codesOf(received(daily(2)), null)).toEqual({
      s1: ['no_rule'],
      s2: ['no_rule', 'newest', 'last_complete'],
    });
  });

  test('the last N stay', () => {
    expect(kept(received(daily(5)), rule({ keepLast: 2 }))).toEqual(['s4', 's5']);
  });

  test('those of N days stay, to the millisecond', () => {
    const nowMs = START_MS + 3 * DAY_MS;
    expect(kept(received(daily(4)), rule({ keepDays: 3 }), nowMs)).toEqual(['s2', 's3', 's4']);
    expect(kept(received(daily(4)), rule({ keepDays: 3 }), nowMs - 1)).toEqual(['s1', 's2', 's3', 's4']);
  });

  test('what was changed or deleted stays N days after it was replaced, however old it is', () => {
    const snapshots = received([START_MS, START_MS + 100 * DAY_MS, START_MS + 110 * DAY_MS]);
    const simple = rule({ changedAndDeletedDays: 30 });
    expect(kept(snapshots, simple, START_MS + 130 * DAY_MS - 1)).toEqual(['s1', 's2', 's3']);
    expect(kept(snapshots, simple, START_MS + 130 * DAY_MS)).toEqual(['s2', 's3']);
    expect(kept(snapshots, simple, START_MS + 140 * DAY_MS)).toEqual(['s3']);
  });

  test('the first of each day, week, month and year stays, for the last of those that have any', () => {
    const snapshots = received(
      at(
        '2025-12-29T10:00Z', // Monday of the week that ends in 2026
        '2025-12-31T10:00Z',
        '2026-01-01T10:00Z',
        '2026-01-01T20:00Z',
        '2026-03-02T10:00Z',
        '2026-03-02T12:00Z',
      ),
    );
    expect(kept(snapshots, rule({ daily: 2 }))).toEqual(['s3', 's5', 's6']);
    expect(kept(snapshots, rule({ weekly: 2 }))).toEqual(['s1', 's5', 's6']);
    expect(kept(snapshots, rule({ monthly: 3 }))).toEqual(['s1', 's3', 's5', 's6']);
    expect(kept(snapshots, rule({ yearly: 2 }))).toEqual(['s1', 's3', 's6']);
    expect(kept(snapshots, rule({ hourly: 3 }))).toEqual(['s4', 's5', 's6']);
  });

  test('every part that wants a snapshot is named', () => {
    const wanted = rule({ keepLast: 1, keepDays: 1, hourly: 1, daily: 1, weekly: 1, monthly: 1, yearly: 1 });
    const [decision] = decideRetention(received([START_MS]), wanted, START_MS, 'UTC');
    expect(decision?.reasons.map(({ code }) => code)).toEqual([
      'keep_last',
      'hourly',
      'daily',
      'weekly',
      'monthly',
      'yearly',
      'keep_days',
      'newest',
      'last_complete',
    ]);
  });
});

describe('calendars', () => {
  test('a day is the day of the time zone', () => {
    const snapshots = received(at('2026-06-01T22:30:00Z', '2026-06-02T03:30:00Z', '2026-06-05T00:00:00Z'));
    expect(kept(snapshots, rule({ daily: 3 }), undefined, 'UTC')).toEqual(['s1', 's2', 's3']);
    // In Santiago the first two are of the evening of the first of June.
    expect(kept(snapshots, rule({ daily: 3 }), undefined, 'America/Santiago')).toEqual(['s1', 's3']);
  });

  test('the hour that a clock repeats in autumn is two hours, and its day one day', () => {
    const snapshots = received(
      at('2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-25T02:30:00Z', '2026-10-26T12:00:00Z'),
    );
    const zone = 'Europe/Madrid';
    expect(kept(snapshots, rule({ hourly: 4 }), undefined, zone)).toEqual(['s1', 's2', 's3', 's4']);
    expect(kept(snapshots, rule({ daily: 2 }), undefined, zone)).toEqual(['s1', 's4']);
  });

  test('a day of 23 hours is one day', () => {
    const snapshots = received(at('2026-03-28T23:30:00Z', '2026-03-29T21:30:00Z', '2026-03-29T22:30:00Z'));
    // 00:30 and 23:30 of the 29th, then 00:30 of the 30th.
    expect(kept(snapshots, rule({ daily: 2 }), undefined, 'Europe/Madrid')).toEqual(['s1', 's3']);
  });
});

describe('what stays whatever the rule says', () => {
  const one = rule({ keepLast: 1 });

  test('what is locked, until then', () => {
    const snapshots = received(daily(3), (place) =>
      place === 0 ? { lockedUntilMs: START_MS + 50 * DAY_MS } : {},
    );
    expect(kept(snapshots, one, START_MS + 50 * DAY_MS - 1)).toEqual(['s1', 's3']);
    expect(kept(snapshots, one, START_MS + 50 * DAY_MS)).toEqual(['s3']);
  });

  test('what a person brought back', () => {
    const snapshots = received(daily(3), (place) => ({ isBroughtBack: place === 0 }));
    expect(kept(snapshots, one)).toEqual(['s1', 's3']);
  });

  test('what an open session holds, and what others require, also through each other', () => {
    const snapshots = received(daily(5), (place) => {
      if (place === 4) return { requires: ['s3'] };
      if (place === 2) return { requires: ['s1'] };
      return place === 1 ? { isHeld: true } : {};
    });
    expect(codesOf(snapshots, one)).toEqual({
      s1: ['required'],
      s2: ['held'],
      s3: ['required'],
      s4: ['not_kept'],
      s5: ['keep_last', 'newest', 'last_complete'],
    });
  });

  test('what a snapshot of another set requires', () => {
    const mine = received(daily(2));
    const other = received(daily(1)).map((snapshot) => ({
      ...snapshot,
      snapshotId: 'other',
      requires: ['s1'],
    }));
    const decisions = [mine, other].flatMap((set) =>
      decideRetention(set, one, START_MS + 99 * DAY_MS, 'UTC'),
    );
    expect(decisions[0]?.isKept).toBe(false);
    expect(keepRequired(decisions, [...mine, ...other])[0]).toEqual({
      snapshotId: 's1',
      isKept: true,
      reasons: [{ code: 'required', untilMs: null }],
    });
  });

  test('the last complete one of a silent device, and the partial one after it', () => {
    const snapshots = received(daily(4), (place) => ({ isComplete: place < 2 }));
    expect(kept(snapshots, rule({ keepDays: 1 }))).toEqual(['s2', 's4']);
  });

  test('what was deleted before is decided no more, and takes nobody a place', () => {
    const snapshots = received(daily(4), (place) => ({ isDeleted: place === 2 }));
    expect(codesOf(snapshots, rule({ keepLast: 2 }))).toEqual({
      s1: ['not_kept'],
      s2: ['keep_last'],
      s4: ['keep_last', 'newest', 'last_complete'],
    });
  });
});

test('until when something stays is known while all its reasons end by themselves', () => {
  const snapshots = received([START_MS, START_MS + HOUR_MS * 2], () => ({
    lockedUntilMs: START_MS + 7 * DAY_MS,
  }));
  const decisions = decideRetention(snapshots, rule({ keepDays: 10 }), START_MS + DAY_MS, 'UTC');
  expect(decisions.map(keptUntilMs)).toEqual([START_MS + 10 * DAY_MS, null]);
});

describe('nobody pushes history out by adding', () => {
  const week = daily(7);
  const counts = rule({ keepLast: 3, hourly: 2, daily: 3, weekly: 1, monthly: 1, yearly: 1 });

  test('partial and unconfirmed snapshots push nothing out', () => {
    const before = kept(received(week), counts);
    for (const kind of [{ isComplete: false }, { isConfirmed: false }]) {
      const added = week.map((timeMs) => timeMs + 7 * DAY_MS);
      const all = received([...week, ...added], (place) => (place >= week.length ? kind : {}));
      expect(kept(all, counts)).toEqual(expect.arrayContaining(before));
    }
    // Nor do they begin the days after which a replaced one goes.
    const all = received([...week, START_MS + 8 * DAY_MS], (place) =>
      place >= week.length ? { isConfirmed: false } : {},
    );
    expect(kept(all, rule({ changedAndDeletedDays: 5 }), START_MS + 99 * DAY_MS)).toEqual(['s7', 's8']);
  });

  test('a device that the roster does not know keeps as many of its own', () => {
    const unknown = received(week, () => ({ isConfirmed: false }));
    expect(kept(unknown, rule({ keepLast: 3 }))).toEqual(['s5', 's6', 's7']);
    const simple = rule({ changedAndDeletedDays: 2 });
    expect(kept(unknown, simple, START_MS + 7 * DAY_MS)).toEqual(['s6', 's7']);
  });

  test('thousands within an hour count as one', () => {
    const flood = Array.from({ length: 3000 }, (_, place) => START_MS + 7 * DAY_MS + place * 1000);
    const stays = kept(received([...week, ...flood]), counts);
    expect(stays.filter((id) => week.some((_, place) => id === `s${place + 1}`))).toEqual(
      // As after a single one more.
      kept(received([...week, ...flood.slice(0, 1)]), counts).filter((id) => id !== 's8'),
    );
  });
});

const anyRule = fc
  .record({
    keepLast: fc.nat(6),
    keepDays: fc.nat(20),
    hourly: fc.nat(6),
    daily: fc.nat(6),
    weekly: fc.nat(4),
    monthly: fc.nat(4),
    yearly: fc.nat(3),
    changedAndDeletedDays: fc.nat(20),
  })
  .filter((parts) => Object.values(parts).some((count) => count > 0))
  .map((parts) => parseRetentionRule(parts));
const anyCounts = anyRule
  .map((parts) => ({ ...parts, keepDays: 0, changedAndDeletedDays: 0 }))
  .filter((parts) => Object.values(parts).some((count) => count > 0));

/** Snapshots in steps of some minutes to some weeks. */
const anySnapshots = fc
  .array(
    fc.record({
      stepMs: fc.oneof(fc.nat(2 * HOUR_MS), fc.nat(3 * DAY_MS), fc.nat(40 * DAY_MS)),
      isComplete: fc.boolean(),
      isConfirmed: fc.boolean(),
      isDeleted: fc.constantFrom(false, false, false, true),
      isLocked: fc.constantFrom(false, false, true),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((steps) => {
    let timeMs = START_MS;
    const times = steps.map(({ stepMs }) => (timeMs += stepMs));
    return received(times, (place) => {
      const { isLocked, stepMs: _, ...change } = steps[place] as (typeof steps)[number];
      return { ...change, lockedUntilMs: isLocked ? (times[place] as number) + 100 * DAY_MS : 0 };
    });
  });
const anyZone = fc.constantFrom('UTC', 'America/Santiago', 'Europe/Madrid', 'Pacific/Apia', 'Asia/Kathmandu');

function endOf(snapshots: readonly RetainedSnapshot[]): number {
  return Math.max(...snapshots.map(({ receivedMs }) => receivedMs));
}

describe('for whatever snapshots and rules', () => {
  test('the newest, the last complete one and what is locked stay; each decision has a reason', () => {
    fc.assert(
      fc.property(anySnapshots, anyRule, anyZone, fc.nat(400), (snapshots, wanted, zone, laterDays) => {
        const nowMs = endOf(snapshots) + laterDays * DAY_MS;
        const decisions = decideRetention(snapshots, wanted, nowMs, zone);
        const present = snapshots.filter(({ isDeleted }) => !isDeleted);
        expect(decisions.map(({ snapshotId }) => snapshotId)).toEqual(
          present.map(({ snapshotId }) => snapshotId),
        );
        expect(decisions.every(({ reasons }) => reasons.length > 0)).toBe(true);
        const stays = new Set(kept(snapshots, wanted, nowMs, zone));
        const must = present.filter(({ lockedUntilMs }) => lockedUntilMs > nowMs);
        const last = present.findLast(({ isComplete, isConfirmed }) => isComplete && isConfirmed);
        const wanting = [...must, present.at(-1), last].filter((one) => one !== undefined);
        for (const { snapshotId } of wanting) expect(stays).toContain(snapshotId);
      }),
    );
  });

  test('what went does not come back while time passes', () => {
    fc.assert(
      fc.property(anySnapshots, anyRule, fc.nat(100), fc.nat(100), (snapshots, wanted, first, second) => {
        const nowMs = endOf(snapshots) + first * DAY_MS;
        const later = kept(snapshots, wanted, nowMs + second * DAY_MS);
        expect(kept(snapshots, wanted, nowMs)).toEqual(expect.arrayContaining(later));
      }),
    );
  });

  test('what went does not come back when snapshots are added', () => {
    fc.assert(
      fc.property(anySnapshots, anyCounts, fc.nat(39), (snapshots, wanted, cut) => {
        const nowMs = endOf(snapshots) + 500 * DAY_MS;
        const before = snapshots.slice(0, cut + 1);
        const went = decideRetention(before, wanted, nowMs, 'UTC').filter(({ isKept }) => !isKept);
        const stays = new Set(kept(snapshots, wanted, nowMs));
        for (const { snapshotId } of went) expect(stays).not.toContain(snapshotId);
      }),
    );
  });

  test('any number of snapshots within an hour pushes out no more than one does', () => {
    const flood = fc.array(fc.nat(HOUR_MS - 1), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(anySnapshots, anyCounts, flood, anyZone, (snapshots, wanted, offsets, zone) => {
        const sinceMs = endOf(snapshots) + HOUR_MS;
        const times = [0, ...offsets].toSorted((one, other) => one - other);
        const added = received(times.map((offsetMs) => sinceMs + offsetMs)).map((one, place) => ({
          ...one,
          snapshotId: `thief ${place}`,
          sequence: snapshots.length + 1 + place,
        }));
        const nowMs = sinceMs + 500 * DAY_MS;
        const [single] = added as [RetainedSnapshot];
        const wasThere = (id: string): boolean => !id.startsWith('thief');
        const afterOne = kept([...snapshots, single], wanted, nowMs, zone).filter(wasThere);
        const afterAll = kept([...snapshots, ...added], wanted, nowMs, zone).filter(wasThere);
        expect(afterAll).toEqual(afterOne);
      }),
    );
  });
});
