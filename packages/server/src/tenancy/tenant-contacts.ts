import { CofreError } from '@cofre/shared/errors';
import { newRandomId, type TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { ChangeContactRequest, NewContactRequest, TenantContact } from '@cofre/shared/wire/tenants';
import type { Clock } from '../clock.ts';
import type { TenantLifeStore } from '../db/tenant-life-store.ts';
import type { ContactContent, ContactRecord } from '../db/tenant-records.ts';

/** Whom the provider calls or writes to. Once a year somebody asks whether it is still right. */
export class TenantContacts {
  readonly #store: TenantLifeStore;
  readonly #clock: Clock;

  constructor(store: TenantLifeStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The main one first. */
  async list(tenantId: TenantId): Promise<TenantContact[]> {
    const nowMs = this.#clock();
    return (await this.#store.listContacts(tenantId)).map((contact) => itemOf(contact, nowMs));
  }

  /** @throws CofreError `limit_reached` */
  async add(tenantId: TenantId, request: NewContactRequest): Promise<void> {
    const nowMs = this.#clock();
    const contact = { id: newRandomId(), ...request, createdMs: nowMs, confirmedMs: nowMs };
    await this.#store.insertContact(tenantId, contact);
  }

  /**
   * What was changed, or only looked at, counts as right again.
   * @param reference the id of a contact, the beginning of it (6 characters and more), or its name
   * @throws CofreError `not_found`, `ambiguous`
   */
  async change(
    tenantId: TenantId,
    reference: string,
    { isMain, ...change }: ChangeContactRequest,
  ): Promise<void> {
    const { id } = await this.#find(tenantId, reference);
    const given = Object.entries(change).filter(([, value]) => value !== undefined);
    const content = Object.fromEntries(given) as Partial<ContactContent>;
    const isThere = await this.#store.updateContact(tenantId, id, content, isMain === true, this.#clock());
    if (!isThere) refuseUnknown(reference);
  }

  /** @throws CofreError `not_found`, `ambiguous` */
  async remove(tenantId: TenantId, reference: string): Promise<void> {
    const { id } = await this.#find(tenantId, reference);
    if (!(await this.#store.removeContact(tenantId, id))) refuseUnknown(reference);
  }

  async #find(tenantId: TenantId, reference: string): Promise<ContactRecord> {
    const isBeginning = /^[0-9a-f]{6,32}$/.test(reference);
    const [contact, another] = (await this.#store.listContacts(tenantId)).filter(
      ({ id, name }) => name === reference || (isBeginning && id.startsWith(reference)),
    );
    if (contact === undefined) refuseUnknown(reference);
    if (another !== undefined) throw new CofreError('ambiguous', { what: `"${reference}"` });
    return contact;
  }
}

function itemOf(contact: ContactRecord, nowMs: number): TenantContact {
  const { id, name, mail, phone, note, isMain, confirmedMs } = contact;
  const confirmBeforeMs = confirmedMs + LIMITS.contactConfirmMs;
  return {
    contactId: id,
    name,
    mail,
    phone,
    note,
    isMain,
    confirmed: new Date(confirmedMs).toISOString(),
    confirmBefore: new Date(confirmBeforeMs).toISOString(),
    isDue: nowMs >= confirmBeforeMs,
  };
}

function refuseUnknown(reference: string): never {
  throw new CofreError('not_found', { what: `contact "${reference}"` });
}
