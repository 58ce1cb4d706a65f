const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** When a job runs first after a start, and how often from then on. */
export interface JobTimes {
  readonly firstAfterMs: number;
  readonly everyMs: number;
}

/**
 * What an appliance does by itself, and how often. The first turns are spread out: a start is no time to read disks.
 *
 *   retention   decides by the hour; a rule counts in hours at the finest
 *   collection  follows it: what a snapshot left behind is condemned soon, and dropped after its grace
 *   scrub       a small share at a time, so that the disk is never busy with it for long
 *   copy        looks hourly whether the day's copy of the directory is there, so that a machine that sleeps at night
 *               has one too
 *   usage       what each tenant uses is seen hourly, so that the most of a day is known; announced quotas come into
 *               force
 */
export const MAINTENANCE_JOBS = {
  retention: { firstAfterMs: 5 * MINUTE_MS, everyMs: HOUR_MS },
  collection: { firstAfterMs: 15 * MINUTE_MS, everyMs: HOUR_MS },
  scrub: { firstAfterMs: 10 * MINUTE_MS, everyMs: 10 * MINUTE_MS },
  copy: { firstAfterMs: 2 * MINUTE_MS, everyMs: HOUR_MS },
  usage: { firstAfterMs: MINUTE_MS, everyMs: HOUR_MS },
} as const satisfies Record<string, JobTimes>;

export type JobName = keyof typeof MAINTENANCE_JOBS;

export const JOB_NAMES = Object.keys(MAINTENANCE_JOBS) as JobName[];
