import { z } from 'zod';
import type { ChunkId, DeviceId, DomainId, KeyPeriodId, SetId, SnapshotId, TenantId } from '../ids.ts';
import { LIMITS } from '../limits.ts';

/** Pieces that several endpoint families share. */

const randomId = z.string().regex(/^[0-9a-f]{32}$/);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

export const tenantId = randomId.transform((value) => value as TenantId);
export const deviceId = randomId.transform((value) => value as DeviceId);
export const domainId = randomId.transform((value) => value as DomainId);
export const setId = randomId.transform((value) => value as SetId);
export const keyPeriodId = randomId.transform((value) => value as KeyPeriodId);
export const chunkId = hash.transform((value) => value as ChunkId);
export const snapshotId = hash.transform((value) => value as SnapshotId);

/** A name that people choose: no control characters, trimmed. */
export const personalName = z
  .string()
  .trim()
  .min(1)
  .max(LIMITS.nameCharactersMax)
  .regex(/^\P{Cc}*$/u);

/** Bytes in base64 (standard alphabet, padded). */
export const base64 = (bytesMax: number) => z.base64().max(Math.ceil(bytesMax / 3) * 4);

/** 32 bytes in hexadecimal: keys and hashes. */
export const hex32 = hash;

/** A service time: ISO 8601 in UTC with milliseconds. */
export const instant = z.iso.datetime();

/** Whole numbers of bytes. */
export const byteCount = z.number().int().nonnegative();

/** A sequence number that objects and snapshots of one vault get, in the order in which they were acknowledged. */
export const vaultNumber = z.number().int().positive();

export const pageQuery = z.object({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageItemsMax).default(LIMITS.pageItemsMax),
});
