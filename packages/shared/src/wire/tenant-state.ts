import { z } from 'zod';
import { byteCount, instant } from './fields.ts';

/** How full a quota is; there is none below 80 %. */
export const quotaWarning = z.object({
  /** 80, 90, or 100: new content does not fit any more. */
  percent: z.number().int(),
  since: instant,
});

/** What the provider has decided about a tenant, and what became of its quota. */
export const tenantStateFields = {
  /** As on an invoice; null for a moment only. */
  managementCode: z.string().nullable(),
  /** Since when nothing new is taken; reads and restores go on. */
  suspended: instant.nullable(),
  warning: quotaWarning.nullable(),
  /** A lower quota that was announced, and from when on it is in force. */
  laterQuota: z.object({ modules: z.number().int(), quotaBytes: byteCount, from: instant }).nullable(),
  /** From when on the tenant may be deleted; until then, and after it until that was done, it can be kept. */
  deletion: z.object({ asked: instant, due: instant }).nullable(),
};

export type QuotaWarning = z.output<typeof quotaWarning>;
