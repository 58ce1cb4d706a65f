import BetterSqlite3 from 'better-sqlite3';
import { CofreError } from '@cofre/shared/errors';
import { DRAFT_SCHEMA, MIGRATIONS } from './schema.ts';

export type Database = BetterSqlite3.Database;

const BUSY_TIMEOUT_MS = 5000;
/** Pages that one connection keeps; dozens may be open. */
const CACHE_KIB = 4 * 1024;
/** What a log that grew in a large transaction is cut to. */
const LOG_BYTES_MAX = 16 * 1024 * 1024;
const SYNCHRONOUS_FULL = 2;

/** An open index of one vault, with its prepared statements. It lives on a database thread. */
export class IndexConnection {
  readonly database: Database;
  /** Commits that are being prepared in this connection's memory: it must not be closed meanwhile. */
  readonly drafts = new Set<number>();
  private readonly statements = new Map<string, BetterSqlite3.Statement<unknown[], unknown>>();

  /**
   * @throws CofreError `storage_failed` when SQLite does not take the settings that durability rests on;
   *   `unknown_format` for a database of a newer version
   */
  constructor(file: string) {
    this.database = new BetterSqlite3(file, { timeout: BUSY_TIMEOUT_MS });
    try {
      configure(this.database);
      migrate(this.database);
      this.database.exec(DRAFT_SCHEMA);
    } catch (error) {
      this.database.close();
      throw error;
    }
  }

  /** One row, or undefined. Statements are prepared once a connection. */
  get<Row>(sql: string, ...values: unknown[]): Row | undefined {
    return this.statement(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: unknown[]): Row[] {
    return this.statement(sql).all(...values) as Row[];
  }

  /** Rows changed. */
  run(sql: string, ...values: unknown[]): number {
    return this.statement(sql).run(...values).changes;
  }

  statement(sql: string): BetterSqlite3.Statement<unknown[], unknown> {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare<unknown[], unknown>(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  close(): void {
    this.database.close();
  }
}

/**
 * WAL with FULL syncs the log at every commit. better-sqlite3 is built with NORMAL for WAL, which acknowledges
 * commits that a power loss takes back; so it is set on every connection, and read back.
 */
function configure(database: Database): void {
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  database.pragma('temp_store = MEMORY');
  database.pragma(`cache_size = -${CACHE_KIB}`);
  database.pragma(`journal_size_limit = ${LOG_BYTES_MAX}`);
  expectPragma(database, 'journal_mode', 'wal');
  expectPragma(database, 'synchronous', SYNCHRONOUS_FULL);
  expectPragma(database, 'foreign_keys', 1);
}

function expectPragma(database: Database, name: string, wanted: string | number): void {
  const actual: unknown = database.pragma(name, { simple: true });
  if (actual === wanted) return;
  const problem = `SQLite has ${name} = ${String(actual)} instead of ${wanted}`;
  throw new CofreError('storage_failed', { problem });
}

function migrate(database: Database): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  if (version > MIGRATIONS.length) {
    throw new CofreError('unknown_format', { what: 'The index of a vault', problem: `version ${version}` });
  }
  if (version === MIGRATIONS.length) return;
  database
    .transaction(() => {
      for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
      database.pragma(`user_version = ${MIGRATIONS.length}`);
    })
    .immediate();
}
