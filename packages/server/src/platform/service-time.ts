import { readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import { syncFolder, writeFileSynced } from './durable-files.ts';
import { isNotThere } from './storage-failure.ts';

/**
 * The longest time that the service counts for having been down. A wall clock that is wrong by a year thus
 * moves no lock by more than this; it covers a long weekend, and is less than half of the default lock.
 */
export const DOWNTIME_COUNTED_MS_MAX = 3 * 24 * 60 * 60 * 1000;

/** How much a crash can lose; what is lost is counted as downtime at the next start. */
const SAVE_INTERVAL_MS = 30_000;

/**
 * The time that retention, leases and locks run on. It advances by the monotonic clock while the server runs
 * and by a bounded downtime while it doesn't: a wall clock set wrong makes nothing expire.
 */
export interface ServiceClock {
  /** Milliseconds since 1970, never less than before. */
  nowMs(): number;
  /** Keeps the time and stops; `nowMs` goes on working. */
  close(): Promise<void>;
}

export interface ClockSources {
  wallMs(): number;
  monotonicMs(): number;
}

interface SavedTime {
  readonly serviceMs: number;
  readonly wallMs: number;
}

const HOST_CLOCKS: ClockSources = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** Service time at a start, from what the last run saved; the wall clock alone at the very first one. */
export function resumedServiceMs(saved: SavedTime | null, wallMs: number): number {
  if (saved === null) return wallMs;
  const downtimeMs = Math.max(0, wallMs - saved.wallMs);
  return saved.serviceMs + Math.min(downtimeMs, DOWNTIME_COUNTED_MS_MAX);
}

/**
 * Opens the clock that is kept in `file`, in a folder that exists.
 * @throws CofreError `damaged` when the file can't be understood
 */
export async function openServiceClock(
  file: string,
  sources: ClockSources = HOST_CLOCKS,
): Promise<ServiceClock> {
  const startMs = resumedServiceMs(await readSavedTime(file), sources.wallMs());
  const originMs = sources.monotonicMs();
  const nowMs = (): number => Math.floor(startMs + sources.monotonicMs() - originMs);

  let saving = save(file, { serviceMs: nowMs(), wallMs: sources.wallMs() });
  await saving;
  const saveNow = (): Promise<void> => {
    saving = saving.then(async () => {
      await save(file, { serviceMs: nowMs(), wallMs: sources.wallMs() });
    });
    return saving;
  };
  // A save that fails loses nothing: the time until the next one that works counts as downtime after a crash.
  const timer = setInterval(() => void saveNow().catch(() => (saving = Promise.resolve())), SAVE_INTERVAL_MS);
  timer.unref();
  return {
    nowMs,
    close: async () => {
      clearInterval(timer);
      await saveNow().catch(() => undefined);
    },
  };
}

async function readSavedTime(file: string): Promise<SavedTime | null> {
  try {
    const saved = JSON.parse(await readFile(file, 'utf8')) as Partial<SavedTime>;
    if (Number.isSafeInteger(saved.serviceMs) && Number.isSafeInteger(saved.wallMs))
      return saved as SavedTime;
  } catch (error) {
    if (isNotThere(error)) return null;
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new CofreError('damaged', { what: `The service time in ${file}`, problem: 'it cannot be read' });
}

/**
 * Says how far the service had come when the file is lost: at the time of what is known to have happened last. What has
 * passed since counts as downtime. A file that is there stays as it is.
 */
export async function restoreServiceTime(file: string, lastKnownMs: number): Promise<void> {
  if ((await readSavedTime(file)) !== null) return;
  await save(file, { serviceMs: lastKnownMs, wallMs: lastKnownMs });
}

/** Replaces the file whole: a crash leaves the old time or the new one. */
async function save(file: string, time: SavedTime): Promise<void> {
  const temporary = `${file}.new`;
  await rm(temporary, { force: true });
  await writeFileSynced(temporary, Buffer.from(`${JSON.stringify(time)}\n`));
  await rename(temporary, file);
  await syncFolder(dirname(file));
}
