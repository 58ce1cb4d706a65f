import type { UserItem } from '@cofre/shared/wire/people';
import type { UserRecord } from '../db/people-records.ts';

/** A person as others see it: nothing that is secret. */
export function userItemFrom(user: UserRecord): UserItem {
  return {
    userId: user.id,
    tenantId: user.tenantId,
    role: user.role,
    login: user.login,
    name: user.name,
    state: stateOf(user),
    hasTotp: user.isTotpConfirmed,
    passkeys: user.passkeys,
    devices: [...user.devices],
    created: instantFrom(user.createdMs),
    lastSignIn: user.lastSignInMs === null ? null : instantFrom(user.lastSignInMs),
  };
}

/** Milliseconds as the wire has them. */
export function instantFrom(ms: number): string {
  return new Date(ms).toISOString();
}

function stateOf({ disabledMs, passwordHash }: UserRecord): UserItem['state'] {
  if (disabledMs !== null) return 'disabled';
  return passwordHash === null ? 'invited' : 'active';
}
