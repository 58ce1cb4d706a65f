import type { AuditHead, AuditPage, AuditVerification } from '@cofre/shared/wire/audit';
import type {
  FirstRunToken,
  HostCreatesUser,
  InvitedPerson,
  OneTimeLink,
  UserItem,
} from '@cofre/shared/wire/people';

/** People and the audit log, on the host. */
export interface PeopleAdministration {
  /** @throws CofreError `already_exists`, `not_found`, `forbidden` when role and tenant don't go together */
  create(person: HostCreatesUser): Promise<InvitedPerson>;
  /** @param tenant null for people of the provider */
  list(tenant: string | null): Promise<UserItem[]>;
  /** A link to set another password: it opens no backup, the server has no keys. */
  resetPassword(login: string, removesFactors: boolean): Promise<OneTimeLink>;
  firstRunToken(): Promise<FirstRunToken>;
  /** @param tenant null for everything */
  auditPage(tenant: string | null, after: number): Promise<AuditPage>;
  /** @param head as an earlier verification said, or null */
  verifyAudit(head: AuditHead | null): Promise<AuditVerification>;
}
