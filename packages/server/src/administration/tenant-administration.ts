import type {
  ChangeContactRequest,
  DeleteTenantRequest,
  ModulesRequest,
  NewContactRequest,
  TenantDetail,
  UsageDay,
  UsageQuery,
} from '@cofre/shared/wire/tenants';

/** What the provider changes about a tenant. Each call gives how it is then; a tenant is named as elsewhere. */
export interface TenantAdministration {
  show(tenant: string): Promise<TenantDetail>;
  /** @throws CofreError `already_exists` */
  rename(tenant: string, name: string): Promise<TenantDetail>;
  suspend(tenant: string): Promise<TenantDetail>;
  resume(tenant: string): Promise<TenantDetail>;
  /** @throws CofreError `quota_below_use`, `invalid_request` */
  setModules(tenant: string, request: ModulesRequest): Promise<TenantDetail>;
  renewCode(tenant: string): Promise<TenantDetail>;
  /** @throws CofreError `deletion_scheduled` */
  scheduleDeletion(tenant: string, request: DeleteTenantRequest): Promise<TenantDetail>;
  /** Takes a deletion back. */
  keep(tenant: string): Promise<TenantDetail>;
  /** @throws CofreError `limit_reached` */
  addContact(tenant: string, request: NewContactRequest): Promise<TenantDetail>;
  /** @throws CofreError `not_found`, `ambiguous` */
  changeContact(tenant: string, contact: string, request: ChangeContactRequest): Promise<TenantDetail>;
  /** @throws CofreError `not_found`, `ambiguous` */
  removeContact(tenant: string, contact: string): Promise<TenantDetail>;
  /** @param tenant null for all. @throws CofreError `invalid_request` */
  usage(tenant: string | null, query: UsageQuery): Promise<UsageDay[]>;
}
