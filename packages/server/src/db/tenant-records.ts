import type { TenantId } from '@cofre/shared/ids';

/** What is written about a contact; what is not known is empty. */
export interface ContactContent {
  readonly name: string;
  readonly mail: string;
  readonly phone: string;
  readonly note: string;
}

export interface ContactRecord extends ContactContent {
  readonly id: string;
  readonly isMain: boolean;
  readonly createdMs: number;
  /** When somebody last asked whether this is still right. */
  readonly confirmedMs: number;
}

/** What was seen of a tenant's use at one moment of a day. */
export interface UsageSeen {
  readonly tenantId: TenantId;
  /** UTC, such as 2026-03-04. */
  readonly day: string;
  readonly usedBytes: number;
  readonly quotaBytes: number;
  readonly devices: number;
}

export interface UsageRecord extends UsageSeen {
  readonly tenantName: string;
  readonly managementCode: string | null;
  readonly usedBytesMax: number;
}

/** Whose use, and from which day to which (both included). */
export interface UsageQuery {
  /** Null for all. */
  readonly tenantId: TenantId | null;
  readonly from: string;
  readonly to: string;
}
