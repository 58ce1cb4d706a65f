import { CofreError } from '@cofre/shared/errors';
import type { DeviceId, SetId, SnapshotId } from '@cofre/shared/ids';
import type { ReadableSnapshot, Snapshot } from './snapshot.ts';

/** Fewer characters than this name nothing. */
const PREFIX_CHARACTERS_MIN = 4;

/** Which snapshot somebody means. */
export interface SnapshotSelector {
  /** An id, a unique beginning of one (four characters at least), or `latest`. */
  readonly snapshot: string;
  /** For `latest`: only of this device. Without it, this computer's own are preferred. */
  readonly deviceId?: DeviceId | undefined;
  /** For `latest`: only of this set. The name stands for a set of its own in each domain. */
  readonly isOfSet?: ((setId: SetId) => boolean) | undefined;
}

export interface ResolveOptions {
  readonly ownDeviceId: DeviceId;
  /** Take what no device of the roster vouches for, when it is named by its id. */
  readonly allowUnconfirmed: boolean;
}

/**
 * Finds the snapshot that a selector means. `latest` is the newest complete and confirmed one that was not deleted: of
 * the device that was named, else of this computer, else (a new computer that takes over) of the whole tenant. Only
 * where there is no complete one it is the newest partial one. Where the newest is of a later format nobody gets an
 * older one for it unasked.
 * @throws CofreError `not_found`, `ambiguous`, `untrusted` for one that is not confirmed, `snapshot_gone`, `damaged`
 *   or `unknown_format` for one that can't be read
 */
export function resolveSnapshot(
  snapshots: readonly Snapshot[],
  selector: SnapshotSelector,
  options: ResolveOptions,
): ReadableSnapshot {
  if (selector.snapshot === 'latest') return latestOf(snapshots, selector, options.ownDeviceId);
  return checkStanding(findById(snapshots, selector.snapshot.toLowerCase()), options.allowUnconfirmed);
}

function findById(snapshots: readonly Snapshot[], beginning: string): Snapshot {
  const isBeginning = /^[0-9a-f]{4,64}$/.test(beginning);
  const found = isBeginning ? snapshots.filter(({ snapshotId }) => snapshotId.startsWith(beginning)) : [];
  const [first, second] = found;
  const what = `snapshot "${beginning.slice(0, 64)}"`;
  if (first === undefined) {
    const isShort = beginning.length < PREFIX_CHARACTERS_MIN;
    throw new CofreError('not_found', { what: isShort ? `${what} (give four characters at least)` : what });
  }
  if (second !== undefined) throw new CofreError('ambiguous', { what });
  return first;
}

function latestOf(
  snapshots: readonly Snapshot[],
  { deviceId, isOfSet }: SnapshotSelector,
  ownDeviceId: DeviceId,
): ReadableSnapshot {
  const fitting = snapshots.filter(({ setId, state }) => state === 'kept' && (isOfSet?.(setId) ?? true));
  const own = fitting.filter((snapshot) => snapshot.deviceId === (deviceId ?? ownDeviceId));
  const isTakenOver = deviceId === undefined && !own.some((one) => isComplete(one) || isOfLaterFormat(one));
  const candidates = isTakenOver ? fitting : own;
  const newest = newestOf(candidates.filter(isComplete)) ?? newestPartial(own) ?? newestPartial(candidates);
  const later = newestOf(candidates.filter(isOfLaterFormat));
  if (later !== null && later.number > (newest?.number ?? 0)) throw unreadable(later);
  if (newest === null) throw new CofreError('not_found', { what: 'snapshot that fits' });
  return newest;
}

function isComplete(snapshot: Snapshot): snapshot is ReadableSnapshot {
  return snapshot.standing === 'confirmed' && snapshot.manifest?.isComplete === true;
}

/** Of a first backup that is not finished. */
function newestPartial(snapshots: readonly Snapshot[]): ReadableSnapshot | null {
  const isPartial = (one: Snapshot): one is ReadableSnapshot =>
    one.standing === 'confirmed' && one.manifest?.isComplete === false;
  return newestOf(snapshots.filter(isPartial));
}

function isOfLaterFormat({ error }: Snapshot): boolean {
  return error?.code === 'unknown_format';
}

/** By the server's numbers: the clock of a device may be wrong. */
function newestOf<Kind extends Snapshot>(snapshots: readonly Kind[]): Kind | null {
  let newest: Kind | null = null;
  for (const snapshot of snapshots) if (snapshot.number > (newest?.number ?? 0)) newest = snapshot;
  return newest;
}

function checkStanding(snapshot: Snapshot, allowUnconfirmed: boolean): ReadableSnapshot {
  const { standing, manifest, problem, snapshotId } = snapshot;
  if (snapshot.state === 'gone') throw new CofreError('snapshot_gone', { snapshot: shortId(snapshotId) });
  if (manifest === null) throw unreadable(snapshot);
  if (standing !== 'confirmed' && !allowUnconfirmed) {
    throw new CofreError('untrusted', { what: `snapshot ${shortId(snapshotId)}`, problem });
  }
  return { ...snapshot, manifest };
}

function unreadable({ snapshotId, error, problem: message }: Snapshot): CofreError {
  const isLater = error?.code === 'unknown_format';
  const problem = error?.parameters['problem'] ?? message;
  const what = `The snapshot ${shortId(snapshotId)}`;
  return new CofreError(isLater ? 'unknown_format' : 'damaged', { what, problem }, { cause: error });
}

function shortId(snapshotId: SnapshotId): string {
  return snapshotId.slice(0, 12);
}
