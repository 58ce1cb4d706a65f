import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { CofreError } from '@cofre/shared/errors';

/** Held until released, or until the process ends however it ends: the kernel lets go of the lock. */
export interface FolderLock {
  release(): void;
}

/**
 * Takes a folder for this process alone. The lock is SQLite's exclusive lock on a small file in it; who holds it
 * stands in a text file beside, for the message only.
 * @throws CofreError `busy` naming the process that has it
 */
export function lockFolder(folder: string): FolderLock {
  const holderFile = join(folder, 'server.lock.holder');
  const database = new BetterSqlite3(join(folder, 'server.lock'), { timeout: 0 });
  try {
    database.pragma('journal_mode = DELETE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    if (code !== 'SQLITE_BUSY') throw error;
    throw new CofreError('busy', { what: `${folder} (${readHolder(holderFile)})` }, { cause: error });
  }
  writeFileSync(holderFile, `process ${process.pid} on ${hostname()}\n`, { mode: 0o600 });
  return {
    release: () => {
      database.close();
    },
  };
}

function readHolder(holderFile: string): string {
  try {
    return readFileSync(holderFile, 'utf8').trim();
  } catch {
    return 'holder unknown';
  }
}
