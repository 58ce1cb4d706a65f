import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '../../builders/seeded-random.ts';
import { checkSurvivor, runWriter, type WriterLog } from '../vault/check-survivor.ts';
import { FATES, makeCrashImage, walkLog, type CrashMoment, type Fate } from './crash-images.ts';
import { RecordedDisk, retry, run } from './recorded-disk.ts';

const PLACES = ['data', 'store'] as const;

/** How a writer is run, and how many of its crash states are looked at. */
export interface CrashStates {
  /** Environment of the writer. */
  readonly environment?: readonly string[];
  /** Moments between two that are looked at: 1 for every one. */
  readonly every?: number;
  readonly fates?: readonly Fate[];
}

/**
 * Records all that a writer makes its disk do, and looks at what lies on the disk if the power goes: before each flush,
 * with all, some, none or torn ones of the writes since the one before. What had been acknowledged by then is there.
 * @returns how many states were looked at
 */
export async function expectCrashStatesSurvived(seed: number, options: CrashStates = {}): Promise<number> {
  const disk = await RecordedDisk.create();
  try {
    const folder = join(disk.folder, 'writer');
    linkPlaces(folder, disk.mountPoint);
    for (const place of PLACES) mkdirSync(join(disk.mountPoint, place));
    run('sync', '--file-system', disk.mountPoint);
    const pristine = join(disk.folder, 'pristine');
    copyFileSync(join(disk.folder, 'image'), pristine);
    const fromBytes = disk.logBytes();
    const environment = [`COFRE_TEST_WRITE_LOG=${disk.log}`, ...(options.environment ?? [])];
    const log = await runWriter(folder, { prefix: ['env', ...environment] });
    if (log.events.at(-1)?.event !== 'closed') throw new Error('the writer did not come to its end');
    await disk.unmount();
    return await replay(disk.log, { pristine, fromBytes, log, seed, ...options });
  } finally {
    await disk.remove();
  }
}

interface Recording extends CrashStates {
  /** The disk at `fromBytes` of the log. */
  readonly pristine: string;
  readonly fromBytes: number;
  readonly log: WriterLog;
  readonly seed: number;
}

async function replay(logFile: string, recording: Recording): Promise<number> {
  const { every = 1, fates = FATES } = recording;
  const random = new SeededRandom(`crash states ${recording.seed}`);
  const folder = mkdtempSync(join(tmpdir(), 'cofre-crash-state-'));
  let moments = 0;
  let states = 0;
  try {
    await walkLog(logFile, recording.pristine, recording.fromBytes, async (moment) => {
      if (moments++ % every !== 0) return;
      for (const fate of fates) {
        const image = join(folder, 'image');
        makeCrashImage(recording.pristine, image, moment, fate, random);
        await checkState(folder, image, recording.log, { moment, fate });
        states += 1;
      }
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
  return states;
}

/** Mounts a disk as the power loss left it, and looks whether what the writer had been told by then is true. */
async function checkState(
  folder: string,
  image: string,
  log: WriterLog,
  state: { moment: CrashMoment; fate: Fate },
): Promise<void> {
  const mountPoint = join(folder, 'mounted');
  const places = join(folder, 'places');
  mkdirSync(mountPoint, { recursive: true });
  linkPlaces(places, mountPoint);
  run('mount', '-o', 'loop', image, mountPoint);
  const told = log.events.filter((event) => (event as { at?: number }).at! <= state.moment.logBytes);
  try {
    await checkSurvivor(places, { ...log, events: told });
  } catch (cause) {
    throw new Error(`power loss at byte ${state.moment.logBytes} of the log, ${state.fate}`, { cause });
  } finally {
    await retry(() => {
      try {
        run('umount', mountPoint);
        return true;
      } catch {
        return false;
      }
    });
    rmSync(places, { recursive: true });
  }
}

function linkPlaces(folder: string, mountPoint: string): void {
  mkdirSync(folder);
  for (const place of PLACES) symlinkSync(join(mountPoint, place), join(folder, place));
}
