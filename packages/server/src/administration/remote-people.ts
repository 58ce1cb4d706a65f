import type { ZodType } from 'zod';
import {
  auditPage,
  auditVerification,
  type AuditHead,
  type AuditPage,
  type AuditVerification,
} from '@cofre/shared/wire/audit';
import {
  firstRunToken,
  invitedPerson,
  oneTimeLink,
  userList,
  type FirstRunToken,
  type HostCreatesUser,
  type InvitedPerson,
  type OneTimeLink,
  type UserItem,
} from '@cofre/shared/wire/people';
import type { PeopleAdministration } from './people-administration.ts';

type Ask = <Answer>(method: string, path: string, schema: ZodType<Answer>, body?: object) => Promise<Answer>;

/** Asks a running server about people and the audit log. */
export class RemotePeople implements PeopleAdministration {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  create(person: HostCreatesUser): Promise<InvitedPerson> {
    return this.#ask('POST', '/users', invitedPerson, person);
  }

  async list(tenant: string | null): Promise<UserItem[]> {
    return (await this.#ask('GET', `/users${queryFrom({ tenant })}`, userList)).items;
  }

  resetPassword(login: string, removesFactors: boolean): Promise<OneTimeLink> {
    return this.#ask('POST', '/users/password-reset', oneTimeLink, { login, removesFactors });
  }

  firstRunToken(): Promise<FirstRunToken> {
    return this.#ask('POST', '/first-run-token', firstRunToken);
  }

  auditPage(tenant: string | null, after: number): Promise<AuditPage> {
    return this.#ask('GET', `/audit${queryFrom({ tenant, after: String(after) })}`, auditPage);
  }

  verifyAudit(head: AuditHead | null): Promise<AuditVerification> {
    return this.#ask('POST', '/audit/verify', auditVerification, { head });
  }
}

function queryFrom(fields: Record<string, string | null>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== null) query.set(name, value);
  return `?${query.toString()}`;
}
