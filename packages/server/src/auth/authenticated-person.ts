import type { ApiTokenId } from '@cofre/shared/ids';
import type { AuditActor } from '@cofre/shared/wire/audit';
import type { Permission } from '@cofre/shared/wire/people';
import { HOST, type Place } from '../audit/audit-log.ts';
import type { UserRecord } from '../db/people-records.ts';

/**
 * Who asks, as the session or the API token says. The tenant is `user.tenantId` and comes from nothing else; role and
 * permissions are those of this very moment.
 */
export interface AuthenticatedPerson {
  readonly user: UserRecord;
  readonly permissions: ReadonlySet<Permission>;
  readonly via: SessionProof | ApiTokenProof | HostProof;
  readonly place: Place;
}

export interface SessionProof {
  readonly kind: 'session';
  readonly hash: string;
  readonly endsMs: number;
  /** What destroys or exports is open until then. */
  readonly freshUntilMs: number;
}

export interface ApiTokenProof {
  readonly kind: 'api_token';
  readonly id: ApiTokenId;
  readonly name: string;
}

/** On the host itself: who may open the local socket or the files is the administrator. */
export interface HostProof {
  readonly kind: 'host';
}

/** How the audit log names somebody. */
export function actorFrom({ user, via }: Pick<AuthenticatedPerson, 'user' | 'via'>): AuditActor {
  const { role, login } = user;
  if (via.kind === 'host') return HOST.actor;
  if (via.kind === 'session') return { kind: 'person', id: user.id, name: login, role };
  return { kind: 'api_token', id: via.id, name: `${login} (${via.name})`, role };
}

/** Whether an account has a second factor, or a passkey, which is both. */
export function hasSecondFactor({
  isTotpConfirmed,
  passkeys,
}: Pick<UserRecord, 'isTotpConfirmed' | 'passkeys'>): boolean {
  return isTotpConfirmed || passkeys > 0;
}
