import type { TenantItem } from '@cofre/shared/wire/administration';
import type { TenantRecord } from '../db/records.ts';
import { quotaWarningOf } from '../tenancy/quota-warning.ts';
import { quotaBytes } from '../tenancy/tenants.ts';

/** What is counted of a tenant. */
export interface TenantCounts {
  readonly usedBytes: number;
  readonly snapshots: number;
  readonly devices: number;
}

/** A tenant as the provider sees it. */
export function tenantItemOf(tenant: TenantRecord, counts: TenantCounts, nowMs: number): TenantItem {
  const { laterModules, laterMs, deletionAskedMs, deletionDueMs } = tenant;
  const quota = quotaBytes(tenant);
  return {
    tenantId: tenant.id,
    name: tenant.name,
    modules: tenant.modules,
    quotaBytes: quota,
    ...counts,
    created: instantOf(tenant.createdMs),
    managementCode: tenant.managementCode,
    suspended: tenant.suspendedMs === null ? null : instantOf(tenant.suspendedMs),
    warning: quotaWarningOf(
      tenant,
      {
        usedBytes: counts.usedBytes,
        quotaBytes: quota,
      },
      nowMs,
    ),
    laterQuota:
      laterModules === null || laterMs === null
        ? null
        : {
            modules: laterModules,
            quotaBytes: quotaBytes({ modules: laterModules }),
            from: instantOf(laterMs),
          },
    deletion:
      deletionDueMs === null
        ? null
        : {
            asked: instantOf(deletionAskedMs ?? deletionDueMs),
            due: instantOf(deletionDueMs),
          },
  };
}

function instantOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
