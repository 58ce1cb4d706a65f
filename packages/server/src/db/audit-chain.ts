import { sha256 } from '@cofre/shared/hash';
import type { AuditRecord, NewAuditEntry } from './people-records.ts';

/** What the first entry follows. */
export const AUDIT_BEGINNING = '0'.repeat(64);

/**
 * The hash of an entry in its place: SHA-256 over a JSON array of the number, the hash of the entry before, and every
 * field, in this order; of `details` the names are sorted.
 */
export function hashOfEntry(entry: NewAuditEntry, number: number, previous: string): string {
  const { timeMs, tenantId, actor, action, target, address, requestId } = entry;
  const { kind, id, name, role } = actor;
  const who = [kind, id, name, role];
  const fields = [number, previous, timeMs, tenantId, ...who, action, target, detailsText(entry)];
  return sha256(Buffer.from(JSON.stringify([...fields, address, requestId]), 'utf8')).toString('hex');
}

/** The details as they are kept and hashed. */
export function detailsText({ details }: Pick<NewAuditEntry, 'details'>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(details).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** What is wrong with an entry that ought to follow `before`; null when nothing is. */
export function faultOf(
  entry: AuditRecord,
  before: { readonly number: number; readonly hash: string },
): string | null {
  if (entry.number !== before.number + 1) return `entry ${before.number + 1} is missing`;
  if (entry.previous !== before.hash) return 'it does not follow the entry before it';
  return entry.hash === hashOfEntry(entry, entry.number, entry.previous) ? null : 'its content was changed';
}
