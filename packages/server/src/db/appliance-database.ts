import { join } from 'node:path';
import Database from 'better-sqlite3';
import { drizzle, type BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';
import { migrate } from 'drizzle-orm/better-sqlite3/migrator';

export type ApplianceDatabase = BetterSQLite3Database & { $client: Database.Database };

const MIGRATIONS_FOLDER = join(import.meta.dirname, 'migrations');
const SYNCHRONOUS_FULL = 2;

/**
 * Opens the database, makes it when it is not there, and brings its schema up to date. Only the database thread
 * calls this: everything here is synchronous.
 *
 * WAL with `synchronous=FULL`, read back: with the default of the driver, power loss takes acknowledged commits.
 */
export function openApplianceDatabase(file: string): ApplianceDatabase {
  const client = new Database(file);
  try {
    client.pragma('journal_mode = WAL');
    client.pragma('synchronous = FULL');
    client.pragma('foreign_keys = ON');
    const mode = client.pragma('journal_mode', { simple: true });
    const synchronous = client.pragma('synchronous', { simple: true });
    if (mode !== 'wal' || synchronous !== SYNCHRONOUS_FULL) {
      throw new Error(`journal_mode is ${String(mode)}, synchronous is ${String(synchronous)}`);
    }
    const database = drizzle(client);
    migrate(database, { migrationsFolder: MIGRATIONS_FOLDER });
    return database;
  } catch (error) {
    client.close();
    throw error;
  }
}
