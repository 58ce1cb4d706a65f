import fs from 'node:fs';
import path from 'node:path';
import type { SnapshotKind } from '@cofre/shared/format/envelope/manifest';
import type { SetId } from '@cofre/shared/ids';
import type { CachedEntry } from './cached-entry.ts';
import { EntryFile, orNull } from './entry-file.ts';
import { EntryFileWriter } from './entry-file-writer.ts';

/**
 * The files of a set in the cache. All of them may be deleted at any time, and what is in them is believed only when
 * the server confirms it: so a torn or lost one costs a second reading of the source, and nothing else.
 */
export interface SetFiles {
  /** What the last run that was finished knew: the next one compares with it. */
  readonly lastRun: string;
  /** The same of the last full run, for differential ones. */
  readonly lastFull: string;
}

/** The files of a set, which need not be there. */
export function setFilesIn(cacheFolder: string, setId: SetId): SetFiles {
  return {
    lastRun: path.join(cacheFolder, `${setId}.run`),
    lastFull: path.join(cacheFolder, `${setId}.full`),
  };
}

/** A journal: what a run is writing, and what is left of interrupted ones. Each kind of run goes on from its own. */
export interface JournalFiles {
  readonly current: string;
  readonly kept: string;
}

/** The journal of runs of a kind, which need not be there. */
export function journalFilesOf({ lastRun }: SetFiles, kind: SnapshotKind): JournalFiles {
  const beginning = lastRun.replace(/\.run$/, `.${kind}`);
  return { current: `${beginning}.part`, kept: `${beginning}.kept` };
}

/**
 * What interrupted runs read, in one file. The journal of the last one is put to what is kept of those before it, whose
 * entries stay where the last one did not come to. Null where there is nothing.
 */
export function takeUpJournal({ current, kept }: JournalFiles): EntryFile | null {
  orNull(() => {
    if (!fs.existsSync(current)) return;
    if (fs.existsSync(kept)) mergeInto(kept, current);
    else fs.renameSync(current, kept);
    fs.rmSync(current, { force: true });
  });
  return EntryFile.open(kept);
}

/** Forgets the journals of all kinds: a run was finished, and what it knew counts. */
export function forgetJournals(files: SetFiles): void {
  for (const kind of ['full', 'incremental', 'differential'] as const)
    dropJournal(journalFilesOf(files, kind));
}

/** Forgets what interrupted runs of one kind read. */
export function dropJournal({ current, kept }: JournalFiles): void {
  for (const file of [current, kept, temporaryOf(kept)]) orNull(() => fs.rmSync(file, { force: true }));
}

/** Keeps the cache of a full run beside the last run's: one file under two names, until the next run replaces one. */
export function keepAsFull({ lastRun, lastFull }: SetFiles): void {
  orNull(() => fs.rmSync(lastFull, { force: true }));
  orNull(() => fs.linkSync(lastRun, lastFull));
  // File systems without links.
  if (!fs.existsSync(lastFull)) orNull(() => fs.copyFileSync(lastRun, lastFull));
}

function mergeInto(kept: string, current: string): void {
  const [older, newer] = [EntryFile.open(kept), EntryFile.open(current)];
  const target = new EntryFileWriter(fs.openSync(temporaryOf(kept), 'w', 0o600));
  try {
    for (const entry of mergedEntries(newer, older)) target.add(entry);
    target.flush();
  } finally {
    target.close();
    older?.close();
    newer?.close();
  }
  fs.renameSync(temporaryOf(kept), kept);
}

/** In order; of two entries of one key the first source's. */
function* mergedEntries(first: EntryFile | null, second: EntryFile | null): Generator<CachedEntry> {
  const others = second?.entries();
  let other = others?.next().value ?? null;
  for (const entry of first?.entries() ?? []) {
    for (; other !== null && other.key <= entry.key; other = others?.next().value ?? null) {
      if (other.key < entry.key) yield other;
    }
    yield entry;
  }
  for (; other !== null; other = others?.next().value ?? null) yield other;
}

function temporaryOf(file: string): string {
  return `${file}.tmp`;
}
