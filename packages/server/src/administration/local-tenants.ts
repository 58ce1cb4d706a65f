import type {
  ChangeContactRequest,
  DeleteTenantRequest,
  ModulesRequest,
  NewContactRequest,
  TenantDetail,
  UsageDay,
  UsageQuery,
} from '@cofre/shared/wire/tenants';
import type { TenantRecord } from '../db/records.ts';
import { TenantContacts } from '../tenancy/tenant-contacts.ts';
import { TenantLife, type TenantLifeServices } from '../tenancy/tenant-life.ts';
import { TenantUsage } from '../tenancy/tenant-usage.ts';
import type { TenantAdministration } from './tenant-administration.ts';
import { tenantItemOf } from './tenant-item.ts';

/** Changes tenants with the services of this very process. */
export class LocalTenants implements TenantAdministration {
  readonly #services: TenantLifeServices;
  readonly #life: TenantLife;
  readonly #contacts: TenantContacts;
  readonly #usage: TenantUsage;

  constructor(services: TenantLifeServices) {
    this.#services = services;
    this.#life = new TenantLife(services);
    this.#contacts = new TenantContacts(services.stores.tenantLife, services.clock);
    this.#usage = new TenantUsage(services);
  }

  show(tenant: string): Promise<TenantDetail> {
    return this.#change(tenant, () => Promise.resolve());
  }

  rename(tenant: string, name: string): Promise<TenantDetail> {
    return this.#change(tenant, (found) => this.#life.rename(found, name));
  }

  suspend(tenant: string): Promise<TenantDetail> {
    return this.#change(tenant, (found) => this.#life.suspend(found));
  }

  resume(tenant: string): Promise<TenantDetail> {
    return this.#change(tenant, (found) => this.#life.resume(found));
  }

  setModules(tenant: string, request: ModulesRequest): Promise<TenantDetail> {
    return this.#change(tenant, (found) => this.#life.setModules(found, request));
  }

  renewCode(tenant: string): Promise<TenantDetail> {
    return this.#change(tenant, (found) => this.#life.renewCode(found));
  }

  scheduleDeletion(tenant: string, { days }: DeleteTenantRequest): Promise<TenantDetail> {
    return this.#change(tenant, (found) => this.#life.scheduleDeletion(found, days));
  }

  keep(tenant: string): Promise<TenantDetail> {
    return this.#change(tenant, (found) => this.#life.keep(found));
  }

  addContact(tenant: string, request: NewContactRequest): Promise<TenantDetail> {
    return this.#change(tenant, ({ id }) => this.#contacts.add(id, request));
  }

  changeContact(tenant: string, contact: string, request: ChangeContactRequest): Promise<TenantDetail> {
    return this.#change(tenant, ({ id }) => this.#contacts.change(id, contact, request));
  }

  removeContact(tenant: string, contact: string): Promise<TenantDetail> {
    return this.#change(tenant, ({ id }) => this.#contacts.remove(id, contact));
  }

  async usage(tenant: string | null, query: UsageQuery): Promise<UsageDay[]> {
    const tenantId = tenant === null ? null : (await this.#services.tenants.find(tenant)).id;
    return await this.#usage.list(tenantId, query);
  }

  /** Changes a tenant, and gives how it is then: a name may be another by now. */
  async #change(reference: string, work: (tenant: TenantRecord) => Promise<void>): Promise<TenantDetail> {
    const { tenants, stores, vaults, clock } = this.#services;
    const found = await tenants.find(reference);
    await work(found);
    const { id } = found;
    const tenant = await tenants.find(id);
    const { usedBytes, snapshots } = await (await vaults.open(id)).statistics();
    const devices = (await stores.tenants.countDevices()).get(id) ?? 0;
    return {
      tenant: tenantItemOf(tenant, { usedBytes, snapshots, devices }, clock()),
      contacts: await this.#contacts.list(id),
    };
  }
}
