import { CofreError } from '@cofre/shared/errors';
import { objectPath, type StoredKind } from '../layout.ts';
import type { IndexConnection } from './connection.ts';

export interface ObjectRow {
  readonly number: number;
  readonly kind: StoredKind;
  readonly key: string;
  readonly deviceId: string | null;
  readonly bytes: Uint8Array;
}

export interface NewObject {
  readonly number: number;
  readonly kind: StoredKind;
  readonly key: string;
  readonly deviceId: string | null;
  readonly sha256: Uint8Array;
  readonly bytes: Uint8Array;
}

const OBJECT_COLUMNS = 'number, kind, key, device_id AS deviceId, bytes';

/** The object of a kind by what it is of, or null. */
export function findObject(
  index: IndexConnection,
  input: { kind: StoredKind; key: string },
): ObjectRow | null {
  const sql = `SELECT ${OBJECT_COLUMNS} FROM objects WHERE kind = ? AND key = ?`;
  return index.get<ObjectRow>(sql, input.kind, input.key) ?? null;
}

/** Adds the row of an object that is durable in the store, in place of its intent and of what that reserved. */
export function insertObject(index: IndexConnection, object: NewObject): void {
  index.run(
    'INSERT INTO objects (number, kind, key, device_id, sha256, bytes) VALUES (?, ?, ?, ?, ?, ?)',
    object.number,
    object.kind,
    object.key,
    object.deviceId,
    object.sha256,
    object.bytes,
  );
  const isMetered = object.deviceId !== null;
  if (isMetered) index.run('UPDATE vault SET object_bytes = object_bytes + ?', object.bytes.length);
  index.run('DELETE FROM intents WHERE path = ?', objectPath(object.number, object.kind));
}

/** Adds a keyring object that is durable in the store. */
export function recordKeyring(index: IndexConnection, input: { object: NewObject }): void {
  insertObject(index, input.object);
}

/**
 * A domain comes to be with its record.
 * @throws CofreError `already_exists` when another record made it
 */
export function recordDomain(index: IndexConnection, input: { object: NewObject }): void {
  insertObject(index, input.object);
  index.run(
    'INSERT INTO domains (domain_id, device_id) VALUES (?, ?)',
    input.object.key,
    input.object.deviceId,
  );
}

/** Adds a description of the tenant; it is in force from then on, though no lock time gets shorter. */
export function recordDescription(
  index: IndexConnection,
  input: { object: NewObject; quotaBytes: number; lockMs: number; softDeleteMs: number },
): void {
  insertObject(index, input.object);
  index.run(
    'UPDATE vault SET quota_bytes = ?, lock_ms = max(lock_ms, ?), soft_delete_ms = ?',
    input.quotaBytes,
    input.lockMs,
    input.softDeleteMs,
  );
}

/** The newest description of the tenant, or null. */
export function findDescription(index: IndexConnection): ObjectRow | null {
  const sql = `SELECT ${OBJECT_COLUMNS} FROM objects WHERE kind = 'description' ORDER BY number DESC LIMIT 1`;
  return index.get<ObjectRow>(sql) ?? null;
}

export interface RosterDeviceRow {
  readonly deviceId: string;
  readonly signingKey: string;
  readonly domainId: string;
  readonly isRevoked: boolean;
}

/**
 * Takes a roster as the newest one, with the authority at the first time.
 * @throws CofreError `roster_moved` when another one came in between
 */
export function recordRoster(
  index: IndexConnection,
  input: {
    objects: readonly NewObject[];
    authorityKey: string;
    version: number;
    devices: readonly RosterDeviceRow[];
  },
): void {
  const taken = index.run(
    `UPDATE vault SET authority_key = @key, roster_version = @version
     WHERE coalesce(authority_key, @key) = @key AND coalesce(roster_version, 0) = @version - 1`,
    { key: input.authorityKey, version: input.version },
  );
  if (taken !== 1) throw new CofreError('roster_moved');
  for (const object of input.objects) insertObject(index, object);
  replaceRoster(index, input.devices);
}

/** From now on these are the devices of the tenant. */
export function replaceRoster(index: IndexConnection, devices: readonly RosterDeviceRow[]): void {
  index.run('DELETE FROM roster_devices');
  for (const device of devices) {
    index.run(
      'INSERT INTO roster_devices (device_id, signing_key, domain_id, is_revoked) VALUES (?, ?, ?, ?)',
      device.deviceId,
      device.signingKey,
      device.domainId,
      device.isRevoked ? 1 : 0,
    );
  }
}

export interface ObjectSummary {
  readonly number: number;
  readonly kind: StoredKind;
  readonly key: string;
  readonly sha256: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Objects by number, for a walk over all of them. */
export function listObjects(
  index: IndexConnection,
  input: { after: number; limit: number },
): ObjectSummary[] {
  return index.all<ObjectSummary>(
    'SELECT number, kind, key, sha256, bytes FROM objects WHERE number > ? ORDER BY number LIMIT ?',
    input.after,
    input.limit,
  );
}
