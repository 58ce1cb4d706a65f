import type { ApiTokenId, DeviceId, TenantId, UserId } from '@cofre/shared/ids';
import type { AuditAction, AuditActor } from '@cofre/shared/wire/audit';
import type { Permission, Role } from '@cofre/shared/wire/people';

/** What the stores of people take and give. Times are milliseconds since 1970; hashes hexadecimal. */
export interface UserRecord {
  readonly id: UserId;
  readonly tenantId: TenantId | null;
  readonly role: Role;
  readonly login: string;
  readonly name: string;
  readonly passwordHash: string | null;
  readonly totpSecret: string | null;
  readonly isTotpConfirmed: boolean;
  readonly createdMs: number;
  readonly disabledMs: number | null;
  readonly lastSignInMs: number | null;
  readonly passkeys: number;
  readonly recoveryCodes: number;
  readonly devices: readonly DeviceId[];
}

export interface NewUser {
  readonly id: UserId;
  readonly tenantId: TenantId | null;
  readonly role: Role;
  readonly login: string;
  readonly name: string;
  readonly createdMs: number;
}

export interface UserChange {
  readonly name: string;
  readonly role: Role;
  readonly isDisabled: boolean;
  readonly devices: readonly DeviceId[];
}

export interface NewLink {
  readonly hash: string;
  readonly removesFactors: boolean;
  readonly expiresMs: number;
}

export interface PasskeyRecord {
  readonly id: string;
  readonly userId: UserId;
  readonly name: string;
  readonly publicKey: string;
  readonly counter: number;
  readonly createdMs: number;
  readonly lastUsedMs: number | null;
}

export interface SessionRecord {
  readonly hash: string;
  readonly createdMs: number;
  readonly lastUsedMs: number;
  readonly provedMs: number;
}

export interface ApiTokenRecord {
  readonly id: ApiTokenId;
  readonly hash: string;
  readonly userId: UserId;
  readonly name: string;
  readonly scopes: Permission[];
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly lastUsedMs: number | null;
}

/** An entry of the audit log before it has its place in the chain. */
export interface NewAuditEntry {
  readonly timeMs: number;
  readonly tenantId: TenantId | null;
  readonly actor: AuditActor;
  readonly action: AuditAction;
  readonly target: string | null;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly address: string | null;
  readonly requestId: string | null;
}

export interface AuditRecord extends NewAuditEntry {
  readonly number: number;
  readonly previous: string;
  readonly hash: string;
}

/** Whose entries or people: everybody's, the provider's own (null), or a tenant's. */
export type TenantFilter = TenantId | null | 'all';
