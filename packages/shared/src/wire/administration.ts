import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { byteCount, instant, personalName, tenantId } from './fields.ts';

/** What the server's command line asks for over the local socket. */
export const createTenantRequest = z.object({
  name: personalName,
  modules: z.number().int().min(1).max(LIMITS.quotaModulesMax),
});

export const tenantItem = z.object({
  tenantId,
  name: z.string(),
  modules: z.number().int(),
  quotaBytes: byteCount,
  usedBytes: byteCount,
  devices: z.number().int(),
  snapshots: z.number().int(),
  created: instant,
});

export const inviteResponse = z.object({ line: z.string(), expires: instant });

export const vaultStatistics = z.object({
  tenantId,
  name: z.string(),
  quotaBytes: byteCount,
  usedBytes: byteCount,
  packs: z.number().int(),
  packBytes: byteCount,
  chunks: z.number().int(),
  snapshots: z.number().int(),
  devices: z.number().int(),
});

/** One thing that `verify` found wrong. */
export const verifyFinding = z.object({
  tenantId,
  /** Stable: `pack_missing`, `pack_damaged`, `chunk_unreadable`, `row_without_pack`, `snapshot_incomplete`, … */
  code: z.string(),
  detail: z.string(),
  affectedSnapshots: z.array(z.string()),
});

export const verifyResult = z.object({
  tenants: z.number().int(),
  packs: z.number().int(),
  bytes: byteCount,
  snapshots: z.number().int(),
  findings: z.array(verifyFinding),
});

export type TenantItem = z.output<typeof tenantItem>;
export type InviteResponse = z.output<typeof inviteResponse>;
export type VaultStatistics = z.output<typeof vaultStatistics>;
export type VerifyFinding = z.output<typeof verifyFinding>;
export type VerifyResult = z.output<typeof verifyResult>;
