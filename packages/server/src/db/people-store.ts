import type { auditOperations } from './audit-operations.ts';
import type { DatabaseThread } from './database-thread.ts';
import type { peopleOperations } from './people-operations.ts';
import type { NewAuditEntry } from './people-records.ts';
import type { signInOperations } from './sign-in-operations.ts';

type PeopleOperations = ReturnType<typeof peopleOperations> &
  ReturnType<typeof signInOperations> &
  ReturnType<typeof auditOperations>;

type Asked = {
  readonly [Name in keyof PeopleOperations]: (
    ...inputs: Parameters<PeopleOperations[Name]>
  ) => Promise<ReturnType<PeopleOperations[Name]>>;
};

/** People and the audit log. */
export interface PeopleStore extends Asked {
  /**
   * The same operations, each in one transaction with entries of the audit log: both happen, or neither. What answers
   * false or null did nothing, and leaves no entry.
   */
  audited(...entries: readonly NewAuditEntry[]): Asked;
}

/** The store on the thread. Names of operations become methods. */
export function peopleStore(thread: DatabaseThread): PeopleStore {
  // The name says which inputs there are: `Asked` holds both together, and the thread takes them as they come.
  const plain = methodsFrom((name, inputs) => thread.call(name as 'auditHead', ...(inputs as [])));
  return Object.assign(plain, {
    audited: (...entries: readonly NewAuditEntry[]) =>
      methodsFrom((name, inputs) => thread.call('callAudited', entries, name, inputs)),
  });
}

/** Every name that is asked for is a method that calls by this name. */
function methodsFrom(call: (name: keyof Asked, inputs: readonly unknown[]) => Promise<unknown>): Asked {
  return new Proxy({} as Asked, {
    get: (own, name) =>
      Reflect.has(own, name) || typeof name !== 'string' || name === 'then'
        ? (Reflect.get(own, name) as unknown)
        : (...inputs: unknown[]) => call(name as keyof Asked, inputs),
  });
}
