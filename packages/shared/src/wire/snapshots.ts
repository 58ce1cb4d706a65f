import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { base64, deviceId, instant, setId, snapshotId, vaultNumber } from './fields.ts';

/** `GET /v1/snapshots?after=&limit=[&set=][&device=]`, ascending by number. */
export const snapshotItem = z.object({
  snapshotId,
  number: vaultNumber,
  deviceId,
  setId,
  received: instant,
  lockedUntil: instant,
  /**
   * `kept`; `deleted`: it goes at `contentUntil` and can be restored and brought back until then; `gone`: only the
   * manifest is left, so that the chain of a set has no gap.
   */
  state: z.enum(['kept', 'deleted', 'gone']),
  contentUntil: instant.nullable(),
  /** Signed object of kind `manifest`. */
  manifest: base64(LIMITS.manifestBytesMax),
});

export const snapshotPage = z.object({
  items: z.array(snapshotItem),
  /** Pass it as `after` for the next page; null at the end. */
  next: z.number().int().nullable(),
});

export const snapshotsQuery = z.object({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageItemsMax).default(100),
  set: setId.optional(),
  device: deviceId.optional(),
});

/** `GET /v1/devices`: the devices of the tenant that this credential may read (its own, or all with a grant). */
export const deviceItem = z.object({ deviceId, name: z.string(), enrolled: instant });
export const deviceList = z.object({ items: z.array(deviceItem) });

export type SnapshotItem = z.output<typeof snapshotItem>;
export type SnapshotPage = z.output<typeof snapshotPage>;
export type DeviceItem = z.output<typeof deviceItem>;
