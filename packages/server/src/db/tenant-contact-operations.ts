import { and, asc, count, desc, eq, type SQL } from 'drizzle-orm';
import { CofreError } from '@cofre/shared/errors';
import type { TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { ApplianceDatabase } from './appliance-database.ts';
import type { ContactContent, ContactRecord } from './tenant-records.ts';
import { tenantContacts } from './tenant-schema.ts';

/** Contacts of a tenant, on the database thread. While there is one, exactly one is the main one. */
export function tenantContactOperations(database: ApplianceDatabase) {
  const ofTenant = (tenantId: TenantId): SQL => eq(tenantContacts.tenantId, tenantId);
  const one = (tenantId: TenantId, id: string): SQL | undefined =>
    and(ofTenant(tenantId), eq(tenantContacts.id, id));
  const makeMain = (tenantId: TenantId, id: string): void => {
    database.update(tenantContacts).set({ isMain: false }).where(ofTenant(tenantId)).run();
    database.update(tenantContacts).set({ isMain: true }).where(one(tenantId, id)).run();
  };
  const inTransaction = <Result>(work: () => Result): Result =>
    database.transaction(work, { behavior: 'immediate' });

  /** The main one first. */
  const listContacts = (tenantId: TenantId): ContactRecord[] =>
    database
      .select()
      .from(tenantContacts)
      .where(ofTenant(tenantId))
      .orderBy(desc(tenantContacts.isMain), asc(tenantContacts.createdMs), asc(tenantContacts.id))
      .all()
      .map(contactFrom);

  return {
    listContacts,

    /** The first one is the main one. @throws CofreError `limit_reached` */
    insertContact(tenantId: TenantId, contact: ContactRecord): void {
      inTransaction(() => {
        const known =
          database.select({ count: count() }).from(tenantContacts).where(ofTenant(tenantId)).get()?.count ??
          0;
        const limit = LIMITS.contactsMax;
        if (known >= limit) throw new CofreError('limit_reached', { limit, what: 'contacts' });
        database
          .insert(tenantContacts)
          .values({ ...contact, tenantId, isMain: false })
          .run();
        if (contact.isMain || known === 0) makeMain(tenantId, contact.id);
      });
    },

    /** Whoever changes a contact has asked. False when there is none. */
    updateContact(
      tenantId: TenantId,
      id: string,
      change: Partial<ContactContent>,
      isMain: boolean,
      nowMs: number,
    ): boolean {
      return inTransaction(() => {
        const { changes } = database
          .update(tenantContacts)
          .set({ ...change, confirmedMs: nowMs })
          .where(one(tenantId, id))
          .run();
        if (changes > 0 && isMain) makeMain(tenantId, id);
        return changes > 0;
      });
    },

    /** When the main one goes, the oldest of the others is it. False when there is none. */
    removeContact(tenantId: TenantId, id: string): boolean {
      return inTransaction(() => {
        const { changes } = database.delete(tenantContacts).where(one(tenantId, id)).run();
        const [first] = listContacts(tenantId);
        if (changes > 0 && first?.isMain === false) makeMain(tenantId, first.id);
        return changes > 0;
      });
    },
  };
}

function contactFrom(row: typeof tenantContacts.$inferSelect): ContactRecord {
  const { id, name, mail, phone, note, isMain, createdMs, confirmedMs } = row;
  return { id, name, mail, phone, note, isMain, createdMs, confirmedMs };
}
