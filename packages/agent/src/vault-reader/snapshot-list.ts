import { CofreError } from '@cofre/shared/errors';
import { decodeManifest, snapshotIdOf, type Manifest } from '@cofre/shared/format/envelope/manifest';
import { decodeSignedObject, openSignedObject } from '@cofre/shared/format/envelope/signed-object';
import type { SnapshotItem } from '@cofre/shared/wire/snapshots';
import type { ServerClient } from '../client/server-client.ts';
import type { ConfirmedRoster } from './confirmed-roster.ts';
import type { Snapshot, SnapshotStanding } from './snapshot.ts';

/**
 * All snapshots that this device may see, in the order in which the server took them, each checked on its
 * own: nothing is hidden, and nothing that the roster does not cover is confirmed.
 */
export async function listSnapshots(client: ServerClient, roster: ConfirmedRoster): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = [];
  for await (const item of client.snapshots()) snapshots.push(judgeSnapshot(item, roster));
  return snapshots;
}

/** What is to be thought of one snapshot. Never throws for what the server sent. */
export function judgeSnapshot(item: SnapshotItem, roster: ConfirmedRoster): Snapshot {
  const object = Buffer.from(item.manifest, 'base64');
  const { manifest: _, ...judged } = item;
  const { snapshotId } = item;
  const unreadable = (error: CofreError): Snapshot => {
    return { ...judged, standing: 'unreadable', problem: error.message, error, manifest: null };
  };
  if (snapshotIdOf(object) !== snapshotId) {
    const problem = 'it is not the one that its id names';
    return unreadable(new CofreError('damaged', { what: 'The manifest', problem }));
  }
  try {
    const manifest = decodeManifest(decodeSignedObject(object, 'manifest').payload);
    const problem = contradiction(item, manifest) ?? distrust(object, manifest, roster);
    const standing: SnapshotStanding = problem === null ? 'confirmed' : 'unconfirmed';
    return { ...judged, standing, problem: problem ?? '', error: null, manifest };
  } catch (error) {
    if (error instanceof CofreError) return unreadable(error);
    throw error;
  }
}

/** What the server says against what the manifest says. */
function contradiction(item: SnapshotItem, manifest: Manifest): string | null {
  if (item.deviceId !== manifest.deviceId) return 'the server lists it for another device';
  if (item.setId !== manifest.setId) return 'the server lists it for another backup set';
  return null;
}

function distrust(object: Uint8Array, manifest: Manifest, roster: ConfirmedRoster): string | null {
  if (manifest.tenantId !== roster.roster.tenantId) return 'it is of another account';
  const device = roster.device(manifest.deviceId);
  if (device === null) return 'its device is not in the list that the recovery key signed';
  if (manifest.domainId !== device.domainId) return 'its device does not belong to its domain';
  try {
    openSignedObject(object, 'manifest', Buffer.from(device.signingKey, 'hex'));
    return null;
  } catch (error) {
    if (error instanceof CofreError) return 'its device did not sign it';
    throw error;
  }
}
