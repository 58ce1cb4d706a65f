import type { DatabaseThread } from './database-thread.ts';
import type { tenantContactOperations } from './tenant-contact-operations.ts';
import type { tenantLifeOperations } from './tenant-life-operations.ts';
import type { tenantUsageOperations } from './tenant-usage-operations.ts';

type Operations = ReturnType<typeof tenantLifeOperations> &
  ReturnType<typeof tenantContactOperations> &
  ReturnType<typeof tenantUsageOperations>;

const NAMES = [
  'renameTenant',
  'suspendTenant',
  'setTenantQuota',
  'applyLaterQuota',
  'setTenantDeletion',
  'noteDescribed',
  'adoptDescription',
  'setManagementCode',
  'noteWarning',
  'listContacts',
  'insertContact',
  'updateContact',
  'removeContact',
  'recordUsage',
  'listUsage',
] as const satisfies (keyof Operations)[];

/** What changes about tenants: their state, contacts, and the history of their use. */
export type TenantLifeStore = {
  readonly [Name in (typeof NAMES)[number]]: (
    ...inputs: Parameters<Operations[Name]>
  ) => Promise<ReturnType<Operations[Name]>>;
};

/** The store on the thread. Names of operations are its methods. */
export function tenantLifeStore(thread: DatabaseThread): TenantLifeStore {
  const methods = NAMES.map((name) => [
    name,
    // The name says which inputs there are; the thread takes them as they come.
    (...inputs: unknown[]) => thread.call(name as 'listUsage', ...(inputs as [never])),
  ]);
  return Object.fromEntries(methods) as TenantLifeStore;
}
