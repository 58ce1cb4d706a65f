import Database from 'better-sqlite3';
import { CofreError } from '@cofre/shared/errors';
import type { DeviceId, TenantId } from '@cofre/shared/ids';
import type { ApplianceDatabase } from './appliance-database.ts';

export interface CopyContent {
  readonly tenants: number;
  readonly devices: number;
}

/** Copies of the appliance's database, on its thread. */
export function copyOperations(database: ApplianceDatabase) {
  return {
    /** Writes the database as it is now into a new file. It is not synced yet. */
    copyInto(file: string): void {
      database.$client.prepare('VACUUM INTO ?').run(file);
    },

    /**
     * Reads all of a copy, without changing it.
     * @throws CofreError `damaged`
     */
    inspectCopy(file: string): CopyContent {
      return readCopy(file, (copy) => {
        const count = (table: string): number =>
          copy.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
        return { tenants: count('tenants'), devices: count('devices') };
      });
    },

    /** Which devices a copy knows to be revoked. @throws CofreError `damaged` */
    listRevoked(file: string): { tenantId: TenantId; deviceId: DeviceId }[] {
      const sql = 'SELECT tenant_id AS tenantId, id AS deviceId FROM devices WHERE revoked_ms IS NOT NULL';
      return readCopy(
        file,
        (copy) => copy.prepare(sql).all() as { tenantId: TenantId; deviceId: DeviceId }[],
      );
    },
  };
}

function readCopy<Result>(file: string, read: (copy: Database.Database) => Result): Result {
  let copy: Database.Database | null = null;
  try {
    copy = new Database(file, { readonly: true, fileMustExist: true });
    const problem: unknown = copy.pragma('integrity_check(1)', { simple: true });
    if (problem !== 'ok')
      throw new CofreError('damaged', { what: 'A copy of the directory', problem: String(problem) });
    return read(copy);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string' || !code.startsWith('SQLITE_')) throw error;
    throw new CofreError('damaged', { what: 'A copy of the directory', problem: code }, { cause: error });
  } finally {
    copy?.close();
  }
}
