import { CofreError } from '@cofre/shared/errors';
import type { TenantId, UserId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { AuditHead, AuditPage, AuditVerification } from '@cofre/shared/wire/audit';
import type {
  FirstRunToken,
  HostCreatesUser,
  InvitedPerson,
  OneTimeLink,
  UserItem,
} from '@cofre/shared/wire/people';
import { HOST } from '../audit/audit-log.ts';
import type { AuthenticatedPerson } from '../auth/authenticated-person.ts';
import { permissionsOf } from '../auth/permissions.ts';
import type { PeopleStore } from '../db/people-store.ts';
import type { PeopleServices } from '../people/people-services.ts';
import type { PeopleAdministration } from './people-administration.ts';

/** Who administers on the host: reaches everybody, and is named as the host in the audit log. */
const ON_THE_HOST: AuthenticatedPerson = {
  user: {
    id: '0'.repeat(32) as UserId,
    tenantId: null,
    role: 'provider_admin',
    login: 'host',
    name: 'host',
    passwordHash: null,
    totpSecret: null,
    isTotpConfirmed: false,
    createdMs: 0,
    disabledMs: null,
    lastSignInMs: null,
    passkeys: 0,
    recoveryCodes: 0,
    devices: [],
  },
  permissions: new Set(permissionsOf('provider_admin')),
  via: { kind: 'host' },
  place: HOST.place,
};

/** Administers people with the services of this very process. */
export class LocalPeople implements PeopleAdministration {
  readonly #services: PeopleServices;
  readonly #store: PeopleStore;
  readonly #findTenant: (reference: string) => Promise<TenantId>;

  constructor(
    services: PeopleServices,
    store: PeopleStore,
    findTenant: (reference: string) => Promise<TenantId>,
  ) {
    this.#services = services;
    this.#store = store;
    this.#findTenant = findTenant;
  }

  async create({ tenant, ...person }: HostCreatesUser): Promise<InvitedPerson> {
    const named = tenant === null ? {} : { tenant: await this.#findTenant(tenant) };
    return await this.#services.people.invite(ON_THE_HOST, { ...person, ...named });
  }

  async list(tenant: string | null): Promise<UserItem[]> {
    const named = tenant === null ? {} : { tenant: await this.#findTenant(tenant) };
    const items: UserItem[] = [];
    for (let after: UserId | null | undefined; after !== null;) {
      const query = { ...named, after, limit: LIMITS.pageItemsMax };
      const page = await this.#services.people.list(ON_THE_HOST, query);
      items.push(...page.items);
      after = page.next;
    }
    return items;
  }

  async resetPassword(login: string, removesFactors: boolean): Promise<OneTimeLink> {
    const user = await this.#store.userByLogin(login);
    if (user === null) throw new CofreError('not_found', { what: `person "${login}"` });
    return await this.#services.people.resetPassword(ON_THE_HOST, user.id, removesFactors);
  }

  async firstRunToken(): Promise<FirstRunToken> {
    return { made: await this.#services.firstRun.newToken() };
  }

  async auditPage(tenant: string | null, after: number): Promise<AuditPage> {
    const { auditReader, audit } = this.#services;
    if (tenant === null) return await auditReader.pageOf('all', after, LIMITS.pageItemsMax);
    const tenantId = await this.#findTenant(tenant);
    await audit.recordLook({
      ...HOST,
      action: 'tenant.looked_at',
      tenantId,
      details: { what: 'audit' },
    });
    return await auditReader.pageOf(tenantId, after, LIMITS.pageItemsMax);
  }

  async verifyAudit(head: AuditHead | null): Promise<AuditVerification> {
    return await this.#services.auditReader.verify(head);
  }
}
