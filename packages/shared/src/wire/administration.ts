import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { byteCount, deviceId, instant, personalName, setId, tenantId } from './fields.ts';
import { problem } from './problem.ts';
import { tenantStateFields } from './tenant-state.ts';

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
  ...tenantStateFields,
});

export const tenantList = z.object({ items: z.array(tenantItem) });

/** A device as its administrator sees it, revoked ones included. */
export const administeredDevice = z.object({
  deviceId,
  name: z.string(),
  platform: z.string(),
  agentVersion: z.string(),
  enrolled: instant,
  lastSeen: instant.nullable(),
  revoked: instant.nullable(),
});

export const administeredDeviceList = z.object({ items: z.array(administeredDevice) });

export const inviteResponse = z.object({ line: z.string(), expires: instant });

/** What one set of a device takes; its name is sealed. */
export const setStatistics = z.object({
  deviceId,
  deviceName: z.string(),
  setId,
  /** Stored length of what the newest version needs. */
  headBytes: byteCount,
  /** Stored length of what only earlier versions need. */
  pastBytes: byteCount,
  snapshots: z.number().int(),
});

export const vaultStatistics = z.object({
  tenantId,
  name: z.string(),
  quotaBytes: byteCount,
  /** What counts towards the quota: pieces, and manifests and keys that devices brought. */
  usedBytes: byteCount,
  chunkBytes: byteCount,
  packs: z.number().int(),
  packBytes: byteCount,
  chunks: z.number().int(),
  snapshots: z.number().int(),
  devices: z.number().int(),
  sets: z.array(setStatistics),
});

export const vaultStatisticsList = z.object({ items: z.array(vaultStatistics) });

/** One thing that `verify` found wrong. */
export const verifyFinding = z.object({
  tenantId,
  /** Stable: `pack_missing`, `pack_damaged`, `chunk_unreadable`, `row_without_blob`, `vault_unreadable`, … */
  code: z.string(),
  detail: z.string(),
  affectedSnapshots: z.array(z.string()),
  /** Something that costs nothing and ought to be looked after all the same. */
  isWarning: z.boolean().optional(),
  /**
   * What would mend it. A scrub takes damaged pieces out of service (`quarantine`), so that the next backup of a device
   * that has them heals them, and mends objects and their rows (`mend`); a pack is written anew (`repack`), an index too
   * (`rebuild`). Verification itself changes nothing.
   */
  remedy: z.enum(['quarantine', 'mend', 'repack', 'rebuild']).optional(),
});

export const verifyResult = z.object({
  tenants: z.number().int(),
  packs: z.number().int(),
  bytes: byteCount,
  snapshots: z.number().int(),
  findings: z.array(verifyFinding),
});

/**
 * `verify` takes long: its answer is one JSON object a line. Progress comes while it reads; the last line is the
 * result, or the problem that ended it. Without one of the two, the answer was cut.
 */
export const verifyEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), bytes: byteCount }),
  z.object({ type: z.literal('result'), result: verifyResult }),
  z.object({ type: z.literal('problem'), problem }),
]);

export type TenantItem = z.output<typeof tenantItem>;
export type InviteResponse = z.output<typeof inviteResponse>;
export type VaultStatistics = z.output<typeof vaultStatistics>;
export type VerifyFinding = z.output<typeof verifyFinding>;
export type VerifyResult = z.output<typeof verifyResult>;
export type AdministeredDevice = z.output<typeof administeredDevice>;
export type VerifyEvent = z.output<typeof verifyEvent>;
