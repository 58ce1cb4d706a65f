import { parentPort, workerData } from 'node:worker_threads';
import BetterSqlite3 from 'better-sqlite3';

/** Checks the database that it is given, once, and says what is wrong with it. */

// Not the quick check: that one does not see an index of a table which names other rows than the table has, and then a
// piece that is there is not found.
const PROBLEMS_MAX = 20;
const BUSY_TIMEOUT_MS = 5000;

const { file } = workerData as { file: string };

function check(): string[] {
  try {
    const database = new BetterSqlite3(file, {
      readonly: true,
      fileMustExist: true,
      timeout: BUSY_TIMEOUT_MS,
    });
    try {
      const rows = database.pragma(`integrity_check(${PROBLEMS_MAX})`) as { integrity_check: string }[];
      return rows.map(({ integrity_check: problem }) => problem).filter((problem) => problem !== 'ok');
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof BetterSqlite3.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)) {
      return [error.message];
    }
    throw error;
  }
}

parentPort?.postMessage(check());
