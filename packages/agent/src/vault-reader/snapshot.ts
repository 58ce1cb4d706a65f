import type { CofreError } from '@cofre/shared/errors';
import type { Manifest } from '@cofre/shared/format/envelope/manifest';
import type { DeviceId, SetId, SnapshotId } from '@cofre/shared/ids';
import type { SnapshotItem } from '@cofre/shared/wire/snapshots';

/**
 * - `confirmed`: a device of the roster signed it
 * - `unconfirmed`: it can be read, but nobody whom the recovery key names vouches for it
 * - `unreadable`: it is not what its id says, damaged, or of a later version
 */
export type SnapshotStanding = 'confirmed' | 'unconfirmed' | 'unreadable';

/** A snapshot as the server lists it, and what is to be thought of it. */
export interface Snapshot {
  readonly snapshotId: SnapshotId;
  readonly number: number;
  /** What the server says; the manifest of a confirmed snapshot says the same. */
  readonly deviceId: DeviceId;
  readonly setId: SetId;
  /** Service times, ISO 8601. */
  readonly received: string;
  readonly lockedUntil: string;
  /** `deleted` can still be restored, until `contentUntil`; of `gone` only the manifest is left, for the chain. */
  readonly state: SnapshotItem['state'];
  readonly contentUntil: string | null;
  readonly standing: SnapshotStanding;
  /** Why it is not confirmed; empty when it is. */
  readonly problem: string;
  /** What stood against reading it, with its cause; null when it can be read. `unknown_format` is no damage. */
  readonly error: CofreError | null;
  /** Null when unreadable. */
  readonly manifest: Manifest | null;
}

/** A snapshot whose content can be opened. */
export interface ReadableSnapshot extends Snapshot {
  readonly manifest: Manifest;
}
