import { CofreError } from '@cofre/shared/errors';
import { isRandomId, newRandomId, type TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { Clock } from '../clock.ts';
import type { TenantStore } from '../db/appliance-stores.ts';
import type { TenantRecord } from '../db/records.ts';
import { Semaphore } from '../platform/semaphore.ts';
import type { Vaults } from '../vault/vault.ts';
import { newManagementCode, spelledCode } from './management-code.ts';

export interface NewTenant {
  readonly name: string;
  readonly modules: number;
}

/** Makes and finds tenants. */
export class Tenants {
  readonly #store: TenantStore;
  readonly #vaults: Vaults;
  readonly #clock: Clock;
  /** What directory and store both say of a tenant changes in turn. */
  readonly describing = new Semaphore(1);

  constructor(store: TenantStore, vaults: Vaults, clock: Clock) {
    this.#store = store;
    this.#vaults = vaults;
    this.#clock = clock;
  }

  /**
   * The vault and its quota come first: a tenant that is listed has both, and a crash leaves an empty vault at most.
   * @throws CofreError `already_exists`
   */
  async create({ name, modules }: NewTenant): Promise<TenantRecord> {
    if ((await this.#store.byName(name)) !== null) {
      throw new CofreError('already_exists', { what: `The tenant "${name}"` });
    }
    const id = newRandomId<TenantId>();
    const managementCode = newManagementCode();
    await this.#vaults.create(id, name);
    await this.#vaults.setQuota(id, quotaBytes({ modules }));
    await this.#store.insert({
      id,
      name,
      modules,
      managementCode,
      createdMs: this.#clock(),
      suspendedMs: null,
    });
    return await this.find(id);
  }

  async list(): Promise<TenantRecord[]> {
    return await this.#store.list();
  }

  /**
   * @param reference an id, a name or a management code, which count in this order
   * @throws CofreError `not_found`
   */
  async find(reference: string): Promise<TenantRecord> {
    const byId = isRandomId(reference) ? await this.#store.byId(reference as TenantId) : null;
    const tenant =
      byId ?? (await this.#store.byName(reference)) ?? (await this.#store.byCode(spelledCode(reference)));
    if (tenant === null) throw new CofreError('not_found', { what: `tenant "${reference}"` });
    return tenant;
  }
}

/** What a tenant may store. */
export function quotaBytes(tenant: Pick<TenantRecord, 'modules'>): number {
  return tenant.modules * LIMITS.quotaModuleBytes;
}
