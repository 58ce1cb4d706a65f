import { closeSync, copyFileSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { SeededRandom } from '../../builders/seeded-random.ts';

const SECTOR_BYTES = 512;
const WRITE_FIXED_BYTES = 13;
const FLUSH = 'F';

interface LoggedWrite {
  readonly offset: number;
  readonly bytes: Buffer;
}

/** A moment at which the power can go: what was flushed is there; of what was written since, anything may be. */
export interface CrashMoment {
  /** Length of the log at this moment: what had happened, happened before it. */
  readonly logBytes: number;
  readonly unflushed: readonly LoggedWrite[];
}

/** What becomes of writes that were not flushed. */
export const FATES = ['all there', 'all lost', 'some lost', 'some torn'] as const;
export type Fate = (typeof FATES)[number];

/**
 * Walks a log: `onMoment` is called before each flush and at the end, from `fromBytes` of the log on, while `image` holds
 * what was flushed by then.
 */
export async function walkLog(
  log: string,
  image: string,
  fromBytes: number,
  onMoment: (moment: CrashMoment) => Promise<void>,
): Promise<void> {
  const bytes = readFileSync(log);
  let unflushed: LoggedWrite[] = [];
  for (let at = 0; at < bytes.length;) {
    if (String.fromCharCode(bytes[at] ?? 0) === FLUSH) {
      if (at >= fromBytes && unflushed.length > 0) await onMoment({ logBytes: at, unflushed });
      writeAll(image, unflushed);
      unflushed = [];
      at += 1;
      continue;
    }
    const length = bytes.readUInt32BE(at + 9);
    const start = at + WRITE_FIXED_BYTES;
    unflushed.push({
      offset: Number(bytes.readBigUInt64BE(at + 1)),
      bytes: bytes.subarray(start, start + length),
    });
    at = start + length;
  }
  await onMoment({ logBytes: bytes.length, unflushed });
}

/** Makes `target` from what was flushed (`image`) and what the fate leaves of the rest. */
export function makeCrashImage(
  image: string,
  target: string,
  { unflushed }: CrashMoment,
  fate: Fate,
  random: SeededRandom,
): void {
  copyFileSync(image, target);
  if (fate === 'all lost') return;
  const survivors = unflushed.flatMap((write) => survivorsOf(write, fate, random));
  writeAll(target, survivors);
}

function survivorsOf(write: LoggedWrite, fate: Fate, random: SeededRandom): LoggedWrite[] {
  if (fate === 'all there' || random.chance(0.5)) return [write];
  return fate === 'some lost' ? [] : sectorsOf(write).filter(() => random.chance(0.5));
}

function sectorsOf({ offset, bytes }: LoggedWrite): LoggedWrite[] {
  const sectors: LoggedWrite[] = [];
  for (let start = 0; start < bytes.length; start += SECTOR_BYTES) {
    sectors.push({ offset: offset + start, bytes: bytes.subarray(start, start + SECTOR_BYTES) });
  }
  return sectors;
}

function writeAll(file: string, writes: readonly LoggedWrite[]): void {
  const descriptor = openSync(file, 'r+');
  try {
    for (const { offset, bytes } of writes) writeSync(descriptor, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(descriptor);
  }
}
