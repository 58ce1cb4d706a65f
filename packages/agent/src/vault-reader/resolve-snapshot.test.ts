import type { CofreError } from '@cofre/shared/errors';
import type { Manifest } from '@cofre/shared/format/envelope/manifest';
import type { DeviceId, SetId, SnapshotId } from '@cofre/shared/ids';
import { expect, test } from 'vitest';
import { resolveSnapshot } from './resolve-snapshot.ts';
import type { Snapshot } from './snapshot.ts';

const own = '11'.repeat(16) as DeviceId;
const other = '22'.repeat(16) as DeviceId;

interface Details {
  readonly deviceId?: DeviceId;
  readonly isComplete?: boolean;
  readonly state?: Snapshot['state'];
}

function snapshotsOf(...all: Details[]): Snapshot[] {
  return all.map(({ deviceId = own, isComplete = true, state = 'kept' }, place) => ({
    snapshotId: String(place + 1).repeat(64) as SnapshotId,
    number: place + 1,
    deviceId,
    setId: '33'.repeat(16) as SetId,
    received: '2026-01-01T00:00:00.000Z',
    lockedUntil: '2026-01-08T00:00:00.000Z',
    state,
    contentUntil: state === 'deleted' ? '2026-02-01T00:00:00.000Z' : null,
    standing: 'confirmed',
    problem: '',
    error: null,
    manifest: { isComplete } as Manifest,
  }));
}

function numberOf(snapshots: readonly Snapshot[], snapshot: string): number {
  return resolveSnapshot(snapshots, { snapshot }, { ownDeviceId: own, allowUnconfirmed: false }).number;
}

function refusalOf(snapshots: readonly Snapshot[], snapshot: string): string {
  try {
    numberOf(snapshots, snapshot);
    return 'none';
  } catch (error) {
    return (error as CofreError).code;
  }
}

test('"latest" is a partial snapshot only where there is no complete one at all', () => {
  const partial = { isComplete: false };
  expect(numberOf(snapshotsOf({}, partial), 'latest')).toBe(1);
  expect(numberOf(snapshotsOf(partial, partial), 'latest')).toBe(2);
  // A computer that takes over, and has begun its own first backup.
  expect(numberOf(snapshotsOf({ deviceId: other }, partial), 'latest')).toBe(1);
  expect(numberOf(snapshotsOf(partial, { deviceId: other, isComplete: false }), 'latest')).toBe(1);
});

test('a deleted snapshot is not the latest, but its id still gives it', () => {
  const snapshots = snapshotsOf({}, { state: 'deleted' });
  expect(numberOf(snapshots, 'latest')).toBe(1);
  expect(numberOf(snapshots, '2222')).toBe(2);
});

test('of a snapshot whose content is gone it is said that it is gone', () => {
  const snapshots = snapshotsOf({ state: 'gone' });
  expect(refusalOf(snapshots, '1111')).toBe('snapshot_gone');
  expect(refusalOf(snapshots, 'latest')).toBe('not_found');
});
