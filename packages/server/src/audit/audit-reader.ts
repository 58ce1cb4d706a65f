import type { z } from 'zod';
import type { TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type {
  AuditEntry,
  AuditHead,
  AuditPage,
  auditQuery,
  AuditVerification,
} from '@cofre/shared/wire/audit';
import { actorFrom, type AuthenticatedPerson } from '../auth/authenticated-person.ts';
import { reachOf } from '../auth/reach.ts';
import { AUDIT_BEGINNING, faultOf } from '../db/audit-chain.ts';
import type { AuditRecord, TenantFilter } from '../db/people-records.ts';
import type { PeopleStore } from '../db/people-store.ts';
import type { AuditLog } from './audit-log.ts';

/** Reads the audit log, and checks that nothing of it was changed. */
export class AuditReader {
  readonly #store: PeopleStore;
  readonly #audit: AuditLog;

  constructor(store: PeopleStore, audit: AuditLog) {
    this.#store = store;
    this.#audit = audit;
  }

  /** Of a tenant its part; of the provider its own, or that of the tenant that is named. */
  async page(
    caller: AuthenticatedPerson,
    { tenant, after, limit }: z.output<typeof auditQuery>,
  ): Promise<AuditPage> {
    return await this.pageOf(await this.#reach(caller, tenant), after, limit);
  }

  /** One JSON object a line: the caller's part, or the whole chain when the provider names no tenant. It is recorded. */
  async *export(caller: AuthenticatedPerson, tenant: TenantId | undefined): AsyncGenerator<string> {
    const tenantId = await this.#reach(caller, tenant);
    const whose = tenantId ?? 'all';
    const { place } = caller;
    await this.#audit.record({ actor: actorFrom(caller), place, action: 'audit.exported', tenantId });
    const { number: last } = await this.#store.auditHead();
    for (let after: number | null = 0; after !== null;) {
      const page: AuditPage = await this.pageOf(whose, after, LIMITS.auditStepEntries);
      for (const item of page.items) if (item.number <= last) yield `${JSON.stringify(item)}\n`;
      after = page.next !== null && page.next < last ? page.next : null;
    }
  }

  /** For who administers on the host. */
  async pageOf(whose: TenantFilter, after: number, limit: number): Promise<AuditPage> {
    const found = await this.#store.auditPage(whose, after, limit + 1);
    const items = found.slice(0, limit).map(entryFrom);
    return { items, next: found.length > limit ? (items.at(-1)?.number ?? null) : null };
  }

  /**
   * Walks the whole chain.
   * @param known an earlier head, as somebody wrote it down: finds that everything was chained anew
   */
  async verify(known: AuditHead | null): Promise<AuditVerification> {
    let head: AuditHead = { number: 0, hash: AUDIT_BEGINNING };
    const { number: last } = await this.#store.auditHead();
    const broken = (number: number, problem: string) => ({
      entries: head.number,
      head,
      broken: { number, problem },
    });
    while (head.number < last) {
      const entries = await this.#store.auditPage('all', head.number, LIMITS.auditStepEntries);
      if (entries.length === 0) return broken(head.number + 1, 'entries vanished while they were read');
      for (const entry of entries) {
        const problem = faultOf(entry, head);
        if (problem !== null) return broken(entry.number, problem);
        head = { number: entry.number, hash: entry.hash };
        if (known?.number === head.number && known.hash !== head.hash) {
          return broken(entry.number, 'it is another one than the head that was written down');
        }
      }
    }
    if (known !== null && known.number > head.number) {
      return broken(known.number, 'the log ends before the head that was written down');
    }
    return { entries: head.number, head, broken: null };
  }

  /** A tenant sees who of the provider read its part. */
  async #reach(caller: AuthenticatedPerson, named: TenantId | undefined): Promise<TenantId | null> {
    const tenantId = reachOf(caller, named);
    if (caller.user.tenantId !== null || tenantId === null) return tenantId;
    const event = { actor: actorFrom(caller), place: caller.place, tenantId };
    await this.#audit.recordLook({ ...event, action: 'tenant.looked_at', details: { what: 'audit' } });
    return tenantId;
  }
}

function entryFrom({ timeMs, ...entry }: AuditRecord): AuditEntry {
  return { ...entry, time: new Date(timeMs).toISOString() };
}
