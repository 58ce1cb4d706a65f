import type { ZodType } from 'zod';
import {
  tenantDetail,
  usageList,
  type ChangeContactRequest,
  type DeleteTenantRequest,
  type ModulesRequest,
  type NewContactRequest,
  type TenantDetail,
  type UsageDay,
  type UsageQuery,
} from '@cofre/shared/wire/tenants';
import type { TenantAdministration } from './tenant-administration.ts';

type Ask = <Answer>(method: string, path: string, schema: ZodType<Answer>, body?: object) => Promise<Answer>;

/** Asks a running server to change tenants. */
export class RemoteTenants implements TenantAdministration {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  show(tenant: string): Promise<TenantDetail> {
    return this.#ask('GET', pathOf(tenant), tenantDetail);
  }

  rename(tenant: string, name: string): Promise<TenantDetail> {
    return this.#post(tenant, 'rename', { name });
  }

  suspend(tenant: string): Promise<TenantDetail> {
    return this.#post(tenant, 'suspend');
  }

  resume(tenant: string): Promise<TenantDetail> {
    return this.#post(tenant, 'resume');
  }

  setModules(tenant: string, request: ModulesRequest): Promise<TenantDetail> {
    return this.#post(tenant, 'modules', request);
  }

  renewCode(tenant: string): Promise<TenantDetail> {
    return this.#post(tenant, 'code');
  }

  scheduleDeletion(tenant: string, request: DeleteTenantRequest): Promise<TenantDetail> {
    return this.#post(tenant, 'delete', request);
  }

  keep(tenant: string): Promise<TenantDetail> {
    return this.#post(tenant, 'undelete');
  }

  addContact(tenant: string, request: NewContactRequest): Promise<TenantDetail> {
    return this.#post(tenant, 'contacts', request);
  }

  changeContact(tenant: string, contact: string, request: ChangeContactRequest): Promise<TenantDetail> {
    return this.#post(tenant, `contacts/${encodeURIComponent(contact)}`, request);
  }

  removeContact(tenant: string, contact: string): Promise<TenantDetail> {
    return this.#ask('DELETE', `${pathOf(tenant)}/contacts/${encodeURIComponent(contact)}`, tenantDetail);
  }

  async usage(tenant: string | null, { from, to }: UsageQuery): Promise<UsageDay[]> {
    const query = new URLSearchParams({
      ...(tenant === null ? {} : { tenant }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    });
    return (await this.#ask('GET', `/usage?${query.toString()}`, usageList)).items;
  }

  #post(tenant: string, rest: string, body?: object): Promise<TenantDetail> {
    return this.#ask('POST', `${pathOf(tenant)}/${rest}`, tenantDetail, body);
  }
}

function pathOf(tenant: string): string {
  return `/tenants/${encodeURIComponent(tenant)}`;
}
