import { CofreError } from '@cofre/shared/errors';
import type { TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { Permission } from '@cofre/shared/wire/people';
import { hasSecondFactor, type AuthenticatedPerson, type SessionProof } from './authenticated-person.ts';
import { isProviderRole, wantsFreshProof } from './permissions.ts';

/**
 * Whose things somebody asks about. People of a tenant reach theirs and name none; people of the provider reach their
 * own, or those of the tenant that they name.
 * @throws CofreError `forbidden` when somebody of a tenant names one, be it his own
 */
export function reachOf({ user }: AuthenticatedPerson, named: TenantId | undefined): TenantId | null {
  if (user.tenantId === null) return named ?? null;
  if (named !== undefined) throw new CofreError('forbidden', { what: 'name a tenant' });
  return user.tenantId;
}

/** @throws CofreError `forbidden`, `second_factor_needed`, `fresh_proof_needed` */
export function requirePermission(person: AuthenticatedPerson, permission: Permission, nowMs: number): void {
  if (!person.permissions.has(permission)) throw new CofreError('forbidden', { what: permission });
  if (needsSecondFactor(person)) throw new CofreError('second_factor_needed');
  if (wantsFreshProof(permission)) requireFreshProof(person, nowMs);
}

/** People of the provider reach every tenant: a password alone opens none of that. */
export function needsSecondFactor({ user }: AuthenticatedPerson): boolean {
  return isProviderRole(user.role) && !hasSecondFactor(user);
}

/** For one's own account: an API token has none. @throws CofreError `forbidden` */
export function requireSession({ via }: AuthenticatedPerson): SessionProof {
  if (via.kind !== 'session') throw new CofreError('forbidden', { what: 'use an account with a token' });
  return via;
}

/** @throws CofreError `fresh_proof_needed` */
export function requireFreshProof({ via }: AuthenticatedPerson, nowMs: number): void {
  if (via.kind === 'session' && nowMs < via.freshUntilMs) return;
  throw new CofreError('fresh_proof_needed', { minutes: LIMITS.freshProofMs / 60_000 });
}
