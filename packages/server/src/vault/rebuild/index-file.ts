import { open, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { removeFile, syncFile, syncFolder } from '../../platform/durable-files.ts';
import { isNotThere } from '../../platform/storage-failure.ts';

/** What SQLite keeps beside a database. */
const COMPANIONS = ['', '-wal', '-shm'];

/** Where a new index is made, beside the one that it will replace. */
export function newIndexFile(database: string): string {
  return `${database}.rebuilding`;
}

/** Removes what an interrupted rebuild left. */
export async function discardNewIndex(database: string): Promise<void> {
  for (const companion of COMPANIONS) await removeFile(newIndexFile(database) + companion);
}

/**
 * Puts the new index in place of the old one, which is kept as `….before-rebuild-N`. The old one goes first: between
 * the two there is no index, which is told as that, while an old log beside a new index would be taken for its own.
 *
 * @param crashPoint called between the steps
 * @returns the name of the old index, or null when there was none
 */
export async function replaceIndex(
  database: string,
  crashPoint: (name: string) => void,
): Promise<string | null> {
  const next = newIndexFile(database);
  const folder = dirname(database);
  const file = await open(next, 'r');
  try {
    // Nothing of it was synced while it was made.
    await syncFile(file, next);
  } finally {
    await file.close();
  }
  crashPoint('rebuild-synced');
  const kept = await nextKeptName(database);
  let isKept = false;
  for (const companion of COMPANIONS) {
    const isMoved = await moveIfThere(database + companion, kept + companion);
    if (companion === '') isKept = isMoved;
    crashPoint('rebuild-moved');
  }
  // Without this a power loss could bring the old log back beside the new index.
  await syncFolder(folder);
  await rename(next, database);
  crashPoint('rebuild-renamed');
  // Makes the new index durable under its name before anything is written to it.
  await syncFolder(folder);
  return isKept ? basename(kept) : null;
}

async function nextKeptName(database: string): Promise<string> {
  const beginning = `${basename(database)}.before-rebuild-`;
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
