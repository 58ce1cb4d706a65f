import { open, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { removeFile, syncFile, syncFolder } from './durable-files.ts';
import { isNotThere } from './storage-failure.ts';

/** What SQLite keeps beside a database. */
const COMPANIONS = ['', '-wal', '-shm'];

/** Removes a database and what lies beside it; none is fine. */
export async function removeDatabase(file: string): Promise<void> {
  for (const companion of COMPANIONS) await removeFile(file + companion);
}

export interface Replacement {
  readonly current: string;
  /** A closed database whose content is in this one file, in the same folder. */
  readonly next: string;
  /** The current one is kept as `<name>.before-<reason>-N`. */
  readonly reason: string;
  /** Called between the steps. */
  readonly crashPoint: (name: string) => void;
}

/**
 * Puts a new database in place of the current one, which is kept. The current one goes first: between the two there is
 * none, which is told as that, while an old log beside a new database would be taken for its own.
 * @returns the name under which the current one was kept, or null when there was none
 */
export async function replaceDatabase({
  current,
  next,
  reason,
  crashPoint,
}: Replacement): Promise<string | null> {
  const folder = dirname(current);
  const file = await open(next, 'r+');
  try {
    // Nothing of it was synced while it was made.
    await syncFile(file, next);
  } finally {
    await file.close();
  }
  crashPoint('replace-synced');
  const kept = await nextKeptName(current, reason);
  let isKept = false;
  for (const companion of COMPANIONS) {
    const isMoved = await moveIfThere(current + companion, kept + companion);
    if (companion === '') isKept = isMoved;
    crashPoint(`replace-moved${companion}`);
  }
  // Without this a power loss could bring the old log back beside the new database.
  await syncFolder(folder);
  await rename(next, current);
  crashPoint('replace-renamed');
  // Makes the new database durable under its name before anything is written to it.
  await syncFolder(folder);
  return isKept ? basename(kept) : null;
}

async function nextKeptName(database: string, reason: string): Promise<string> {
  const beginning = `${basename(database)}.before-${reason}-`;
  const numbers = (await readdir(dirname(database)))
    .filter((name) => name.startsWith(beginning))
    .map((name) => parseInt(name.slice(beginning.length), 10));
  const number = Math.max(0, ...numbers.filter(Number.isSafeInteger)) + 1;
  return join(dirname(database), `${beginning}${number}`);
}

async function moveIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (isNotThere(error)) return false;
    throw error;
  }
}
