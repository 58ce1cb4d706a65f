import { expect, test, vi } from 'vitest';
import { KeptLog } from '../../../../test/fakes/kept-log.ts';
import type { JobName, JobTimes } from './maintenance-jobs.ts';
import { Maintenance, type MaintenanceTasks } from './maintenance.ts';

const NEVER = { firstAfterMs: 3_600_000, everyMs: 3_600_000 };

function timesOf(changed: Partial<Record<JobName, JobTimes>>): Record<JobName, JobTimes> {
  return { retention: NEVER, collection: NEVER, scrub: NEVER, copy: NEVER, usage: NEVER, ...changed };
}

const none = async (): Promise<void> => undefined;

function tasksOf(changed: Partial<MaintenanceTasks>): MaintenanceTasks {
  return { retention: none, collection: none, scrub: none, copy: none, usage: none, ...changed };
}

test('a job runs again and again, and never twice at once', async () => {
  let [running, most, turns] = [0, 0, 0];
  const collection = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 120));
    running -= 1;
    turns += 1;
  };
  const often = { firstAfterMs: 10, everyMs: 30 };
  const maintenance = new Maintenance(tasksOf({ collection }), new KeptLog(), timesOf({ collection: often }));
  await maintenance.start();
  await vi.waitFor(() => expect(turns).toBeGreaterThanOrEqual(3), { timeout: 20_000 });
  await maintenance.stop();
  expect(most).toBe(1);
  expect(running).toBe(0);
});

test('a job that fails is logged and has its next turn', async () => {
  let turns = 0;
  const retention = async (): Promise<void> => {
    turns += 1;
    throw new Error('the disk is away');
  };
  const log = new KeptLog();
  const often = { firstAfterMs: 10, everyMs: 30 };
  const maintenance = new Maintenance(tasksOf({ retention }), log, timesOf({ retention: often }));
  await maintenance.start();
  await vi.waitFor(() => expect(turns).toBeGreaterThanOrEqual(2), { timeout: 20_000 });
  await maintenance.stop();
  expect(JSON.stringify(log)).toContain('the disk is away');
});

test('stopping tells what runs, waits for it, and begins nothing more', async () => {
  let [started, ended, turns] = [false, false, 0];
  const scrub = async (signal: AbortSignal): Promise<void> => {
    turns += 1;
    started = true;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    ended = true;
  };
  const often = { firstAfterMs: 10, everyMs: 30 };
  const maintenance = new Maintenance(tasksOf({ scrub }), new KeptLog(), timesOf({ scrub: often }));
  await maintenance.start();
  await vi.waitFor(() => expect(started).toBe(true), { timeout: 20_000 });
  await maintenance.stop();
  expect(ended).toBe(true);
  expect(turns).toBe(1);
});
