import { z } from 'zod';
import { byteCount, deviceId, hex32, instant, snapshotId, tenantId, vaultNumber } from './fields.ts';
import { problem } from './problem.ts';

/** What a scrub read and did, counted. */
export const scrubCounts = z.object({
  packs: z.number().int(),
  objects: z.number().int(),
  bytes: byteCount,
  /** Pieces that were found damaged: they count as missing, and whoever still has them sends them again. */
  damagedChunks: z.number().int(),
  /** Pieces that counted as damaged, and can be read again. */
  recoveredChunks: z.number().int(),
  /** Packs with damage that costs nothing: they should be written anew. */
  packsToRewrite: z.number().int(),
  rewrittenObjects: z.number().int(),
  mendedRows: z.number().int(),
  /** Objects that neither the store nor the index has whole. */
  lostObjects: z.number().int(),
});

/** By tenant, and added up. */
export const scrubResult = scrubCounts.extend({
  /** Whether all that was due is read. */
  isComplete: z.boolean(),
});

/** A vault that could not be read: the others were. */
export const scrubFailure = z.object({ tenantId, problem: z.string() });

export const scrubReport = scrubResult.extend({ tenants: z.number().int(), failures: z.array(scrubFailure) });

/** `scrub` takes long: one JSON object a line, as `verify` does it. */
export const scrubEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), bytes: byteCount }),
  z.object({ type: z.literal('result'), result: scrubReport }),
  z.object({ type: z.literal('problem'), problem }),
]);

/** One thing that was found damaged, and what became of it. */
export const damageItem = z.object({
  tenantId,
  /** `healed`: whole again. `moot`: nothing needed it any more, and it is gone. */
  state: z.enum(['open', 'healed', 'moot']),
  /** Stable, as the codes of `verify`. */
  what: z.string(),
  found: instant,
  /** Of a piece: the pack that it lay in, and its id. */
  pack: vaultNumber.nullable(),
  chunkId: hex32.nullable(),
  /** Of an object: its number. */
  object: vaultNumber.nullable(),
  healed: instant.nullable(),
  healedByPack: vaultNumber.nullable(),
  /** Snapshots that need it, newest first, as many as are named; and whose they are. */
  snapshots: z.array(snapshotId),
  devices: z.array(deviceId),
});

export const vaultDamages = z.object({
  tenantId,
  /** How many there are, of which `items` are named: open ones first. */
  open: z.number().int(),
  healed: z.number().int(),
  items: z.array(damageItem),
});

export const vaultDamagesList = z.object({
  items: z.array(vaultDamages),
  failures: z.array(scrubFailure),
});

export type ScrubReport = z.output<typeof scrubReport>;
export type ScrubCounts = z.output<typeof scrubCounts>;
export type DamageItem = z.output<typeof damageItem>;
export type VaultDamages = z.output<typeof vaultDamages>;
export type VaultDamagesList = z.output<typeof vaultDamagesList>;
