import type { DeviceId, TenantId } from '@cofre/shared/ids';

/** What the stores take and give. Times are milliseconds since 1970; hashes and keys hexadecimal. */
export interface NewTenantRecord {
  readonly id: TenantId;
  readonly name: string;
  /** What is in force now. */
  readonly modules: number;
  readonly createdMs: number;
  readonly suspendedMs: number | null;
  readonly managementCode?: string | null;
  readonly deletionAskedMs?: number | null;
  readonly deletionDueMs?: number | null;
}

export interface TenantRecord extends Required<NewTenantRecord> {
  /** A lower quota that was announced, and from when on it is in force. */
  readonly laterModules: number | null;
  readonly laterMs: number | null;
  /** 80, 90, 100, or 0 below, as it was noted last, and since when. */
  readonly warnedPercent: number;
  readonly warnedMs: number | null;
  /** False from a change on until the store says the same of the tenant. */
  readonly isDescribed: boolean;
}

export interface DeviceRecord {
  readonly id: DeviceId;
  readonly name: string;
  readonly platform: string;
  readonly agentVersion: string;
  readonly createdMs: number;
  readonly lastSeenMs: number | null;
  readonly revokedMs: number | null;
}

/** What authentication needs to know of a device, found by its id alone. */
export interface CredentialRecord {
  readonly deviceId: DeviceId;
  readonly deviceName: string;
  readonly tenantId: TenantId;
  readonly tenantName: string;
  readonly tenantModules: number;
  readonly isTenantSuspended: boolean;
  readonly signingKey: string;
  readonly credentialHash: string;
  readonly isRevoked: boolean;
  readonly lastSeenMs: number | null;
}

export interface NewInvitation {
  readonly codeHash: string;
  readonly createdMs: number;
  readonly expiresMs: number;
}

/** A device that wants to join with the code of this hash. */
export interface Enrolment {
  readonly codeHash: string;
  /** Taken when the device is new. */
  readonly deviceId: DeviceId;
  readonly name: string;
  readonly platform: string;
  readonly agentVersion: string;
  readonly signingKey: string;
  readonly inbox: string;
  readonly credentialHash: string;
  readonly nowMs: number;
}

export interface Enrolled {
  readonly deviceId: DeviceId;
  readonly tenantId: TenantId;
  readonly tenantName: string;
}
