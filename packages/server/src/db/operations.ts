import type { ApplianceDatabase } from './appliance-database.ts';
import { appendEntries, auditOperations } from './audit-operations.ts';
import { copyOperations } from './copy-operations.ts';
import { deviceOperations } from './device-operations.ts';
import { enrolmentOperations } from './enrolment-operations.ts';
import { peopleOperations } from './people-operations.ts';
import type { NewAuditEntry } from './people-records.ts';
import { signInOperations } from './sign-in-operations.ts';
import { tenantContactOperations } from './tenant-contact-operations.ts';
import { tenantLifeOperations } from './tenant-life-operations.ts';
import { tenantOperations } from './tenant-operations.ts';
import { tenantUsageOperations } from './tenant-usage-operations.ts';

/** Everything that the database thread does when it is asked, by name. */
export function applianceOperations(database: ApplianceDatabase) {
  const operations = {
    ...tenantOperations(database),
    ...tenantLifeOperations(database),
    ...tenantContactOperations(database),
    ...tenantUsageOperations(database),
    ...deviceOperations(database),
    ...enrolmentOperations(database),
    ...copyOperations(database),
    ...peopleOperations(database),
    ...signInOperations(database),
    ...auditOperations(database),
  };
  return {
    ...operations,
    /** An operation and its entries of the audit log: both happen, or neither. False or null is nothing that happened. */
    callAudited(
      entries: readonly NewAuditEntry[],
      name: keyof typeof operations,
      inputs: readonly unknown[],
    ): unknown {
      const work = () => {
        const value = (operations[name] as (...inputs: readonly unknown[]) => unknown)(...inputs);
        if (value !== false && value !== null) appendEntries(database, entries);
        return value;
      };
      return database.transaction(work, { behavior: 'immediate' });
    },
  };
}

export type ApplianceOperations = ReturnType<typeof applianceOperations>;
export type OperationName = keyof ApplianceOperations;
