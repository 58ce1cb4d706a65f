import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DOWNTIME_COUNTED_MS_MAX, openServiceClock, resumedServiceMs } from './service-time.ts';

const DAY_MS = 24 * 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);

let folder: string;
let file: string;
let wallMs = START_MS;
let monotonicMs = 0;
const sources = { wallMs: () => wallMs, monotonicMs: () => monotonicMs };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-clock-'));
  file = join(folder, 'service-time.json');
  wallMs = START_MS;
  monotonicMs = 5000;
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('it begins with the wall clock and advances by the monotonic one alone', async () => {
  const clock = await openServiceClock(file, sources);
  expect(clock.nowMs()).toBe(START_MS);
  monotonicMs += 1500;
  wallMs += 400 * DAY_MS;
  expect(clock.nowMs()).toBe(START_MS + 1500);
  wallMs -= 800 * DAY_MS;
  expect(clock.nowMs()).toBe(START_MS + 1500);
  await clock.close();
});

test('downtime counts as the wall clock has it, up to a bound', () => {
  const saved = { serviceMs: 1000, wallMs: START_MS };
  expect(resumedServiceMs(saved, START_MS + DAY_MS)).toBe(1000 + DAY_MS);
  expect(resumedServiceMs(saved, START_MS + 400 * DAY_MS)).toBe(1000 + DOWNTIME_COUNTED_MS_MAX);
});

test('a clock that was set back moves nothing', () => {
  expect(resumedServiceMs({ serviceMs: 1000, wallMs: START_MS }, START_MS - 400 * DAY_MS)).toBe(1000);
});

test('a clock wrong by a year at one start does not add up over further starts', async () => {
  const open = () => openServiceClock(file, sources);
  await (await open()).close();
  wallMs += 365 * DAY_MS;
  for (let count = 0; count < 10; count++) await (await open()).close();
  const clock = await open();
  expect(clock.nowMs() - START_MS).toBe(DOWNTIME_COUNTED_MS_MAX);
  await clock.close();
});

test('a process that was killed goes on from what was saved last', async () => {
  const killed = await openServiceClock(file, sources);
  monotonicMs += 10_000;
  wallMs += 10_000;
  const clock = await openServiceClock(file, { ...sources, monotonicMs: () => 77 });
  expect(clock.nowMs()).toBe(START_MS + 10_000);
  await clock.close();
  await killed.close();
});

test('a file that cannot be understood is refused rather than replaced', async () => {
  writeFileSync(file, '{"serviceMs":');
  await expect(openServiceClock(file, sources)).rejects.toMatchObject({ code: 'damaged' });
});
