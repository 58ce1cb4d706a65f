import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { instant, tenantId } from './fields.ts';

/** What may stand in the audit log. Added to, never renamed: exports are read by others. */
export const AUDIT_ACTIONS = [
  'first_run.completed',
  'first_run.token_made',
  'sign_in.succeeded',
  'sign_in.failed',
  'session.ended',
  'proof.refreshed',
  'password.changed',
  'password.reset_link_made',
  'totp.added',
  'totp.removed',
  'passkey.added',
  'passkey.removed',
  'recovery_codes.made',
  'user.invited',
  'user.activated',
  'user.changed',
  'api_token.made',
  'api_token.revoked',
  'audit.exported',
  'tenant.created',
  'tenant.changed',
  'tenant.quota_changed',
  'tenant.destroyed',
  'tenant.exported',
  'tenant.looked_at',
  'device.invited',
  'device.enrolled',
  'device.revoked',
  'device.changed',
  'keys.roster_put',
  'keys.read_grant_shown',
  'content.read',
  'snapshot.deleted',
  'snapshot.undeleted',
  'retention.changed',
  'appliance.maintained',
] as const;
export const auditAction = z.enum(AUDIT_ACTIONS);

/** `host`: the command line on the server; `nobody`: somebody who is not known, such as who failed to sign in. */
export const auditActor = z.object({
  kind: z.enum(['person', 'api_token', 'device', 'host', 'nobody']),
  id: z.string().nullable(),
  name: z.string().nullable(),
  role: z.string().nullable(),
});

export const auditEntry = z.object({
  number: z.number().int().positive(),
  time: instant,
  tenantId: tenantId.nullable(),
  actor: auditActor,
  action: auditAction,
  target: z.string().nullable(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  address: z.string().nullable(),
  requestId: z.string().nullable(),
  previous: z.string(),
  hash: z.string(),
});

export const auditQuery = z.object({
  /** People of the provider narrow by it; nobody else may give it. */
  tenant: tenantId.optional(),
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageItemsMax).default(LIMITS.pageItemsMax),
});
export const auditPage = z.object({
  items: z.array(auditEntry),
  next: z.number().int().positive().nullable(),
});

/** The newest entry: whoever wrote it down elsewhere finds out later whether anything before it was changed. */
export const auditHead = z.object({ number: z.number().int().nonnegative(), hash: z.string() });

export const auditVerification = z.object({
  entries: z.number().int(),
  head: auditHead,
  /** Null when the chain holds. */
  broken: z.object({ number: z.number().int(), problem: z.string() }).nullable(),
});

export type AuditAction = z.output<typeof auditAction>;
export type AuditActor = z.output<typeof auditActor>;
export type AuditEntry = z.output<typeof auditEntry>;
export type AuditPage = z.output<typeof auditPage>;
export type AuditHead = z.output<typeof auditHead>;
export type AuditVerification = z.output<typeof auditVerification>;
