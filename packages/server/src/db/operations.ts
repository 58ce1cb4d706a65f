import type { ApplianceDatabase } from './appliance-database.ts';
import { copyOperations } from './copy-operations.ts';
import { deviceOperations } from './device-operations.ts';
import { enrolmentOperations } from './enrolment-operations.ts';
import { tenantOperations } from './tenant-operations.ts';

/** Everything that the database thread does when it is asked, by name. */
export function applianceOperations(database: ApplianceDatabase) {
  return {
    ...tenantOperations(database),
    ...deviceOperations(database),
    ...enrolmentOperations(database),
    ...copyOperations(database),
  };
}

export type ApplianceOperations = ReturnType<typeof applianceOperations>;
export type OperationName = keyof ApplianceOperations;
