import { QUOTA_WARNING_PERCENTS } from '@cofre/shared/limits/tenant-limits';
import type { QuotaWarning } from '@cofre/shared/wire/tenant-state';
import type { TenantRecord } from '../db/records.ts';
import { catalogHeadroomBytes } from '../vault/quota.ts';

/**
 * How full a quota is: 80, 90, 100, or 0 below. The end of a quota is kept for catalogs, so that it counts as used up
 * when new content does not fit any more.
 */
export function warnedPercent(usedBytes: number, quotaBytes: number): number {
  if (usedBytes >= quotaBytes - catalogHeadroomBytes(quotaBytes)) return 100;
  return QUOTA_WARNING_PERCENTS.findLast((percent) => usedBytes * 100 >= quotaBytes * percent) ?? 0;
}

/** What is to be said of a tenant's quota; since when as it was noted last, or now when it has just changed. */
export function quotaWarningOf(
  tenant: Pick<TenantRecord, 'warnedPercent' | 'warnedMs'>,
  use: { readonly usedBytes: number; readonly quotaBytes: number },
  nowMs: number,
): QuotaWarning | null {
  const percent = warnedPercent(use.usedBytes, use.quotaBytes);
  if (percent === 0) return null;
  const sinceMs = tenant.warnedPercent === percent ? (tenant.warnedMs ?? nowMs) : nowMs;
  return { percent, since: new Date(sinceMs).toISOString() };
}
