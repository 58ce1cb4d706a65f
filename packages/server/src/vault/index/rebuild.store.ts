import type { Database } from './connection.ts';
import { IndexConnection } from './connection.ts';
import { insertObject, replaceRoster, type NewObject, type RosterDeviceRow } from './objects.store.ts';
import type { PackedIds } from './packed-ids.ts';
import { LIMITS } from '@cofre/shared/limits';

/**
 * The rows of an index that is made anew from the store. It is a file of its own until it is whole, so that nothing in
 * it has to be durable before.
 */

/** Opens a new index for a rebuild. */
export function openRebuildIndex(file: string): IndexConnection {
  const index = new IndexConnection(file);
  // A crash throws the whole file away, so that nothing has to be synced before it is finished.
  index.database.pragma('synchronous = OFF');
  return index;
}

/** Runs some inserts as one transaction. */
export function inTransaction<Result>(index: IndexConnection, work: () => Result): Result {
  return index.database.transaction(work).immediate();
}

/** Puts everything into the one file and closes it; its content is not synced yet. */
export function closeRebuildIndex(index: IndexConnection): void {
  index.database.pragma('synchronous = FULL');
  checkpoint(index.database);
  index.close();
}

function checkpoint(database: Database): void {
  database.pragma('wal_checkpoint(TRUNCATE)');
}

/** The row of the vault, frozen. */
export function insertVault(
  index: IndexConnection,
  input: { tenantId: string; createdMs: number; frozenReason: string },
): void {
  index.run(
    `INSERT INTO vault (only_row, tenant_id, created_ms, lock_ms, soft_delete_ms, frozen_reason) VALUES (1, ?, ?, ?, ?, ?)`,
    input.tenantId,
    input.createdMs,
    LIMITS.lockDefaultMs,
    LIMITS.softDeleteDefaultMs,
    input.frozenReason,
  );
}

/** Adds the row of an object; false when another one of the same kind and key came before. */
export function insertStoredObject(index: IndexConnection, object: NewObject): boolean {
  const sql = 'SELECT 1 FROM objects WHERE kind = ? AND key = ?';
  if (index.get(sql, object.kind, object.key) !== undefined) return false;
  insertObject(index, object);
  return true;
}

/** A time of the service that the vault began at. */
export function setCreated(index: IndexConnection, createdMs: number): void {
  index.run('UPDATE vault SET created_ms = ?', createdMs);
}

/** The service time at which the vault began. */
export function findCreated(index: IndexConnection): number {
  return index.get<{ createdMs: number }>('SELECT created_ms AS createdMs FROM vault')?.createdMs ?? 0;
}

/** The devices of the newest roster. */
export function listRosterDevices(index: IndexConnection): RosterDeviceRow[] {
  return index
    .all<Omit<RosterDeviceRow, 'isRevoked'> & { isRevoked: number }>(
      `SELECT device_id AS deviceId, signing_key AS signingKey, domain_id AS domainId, is_revoked AS isRevoked
       FROM roster_devices ORDER BY device_id`,
    )
    .map((row) => ({ ...row, isRevoked: row.isRevoked === 1 }));
}

/** What a description says: the newest one counts. */
export function setDescribed(
  index: IndexConnection,
  input: { quotaBytes: number; lockMs: number; softDeleteMs: number },
): void {
  index.run(
    'UPDATE vault SET quota_bytes = ?, lock_ms = ?, soft_delete_ms = ?',
    input.quotaBytes,
    input.lockMs,
    input.softDeleteMs,
  );
}

/** The newest retention setting of a set; ids are empty for the tenant's default. */
export function setRule(
  index: IndexConnection,
  input: { deviceId: string; setId: string; object: number },
): void {
  index.run(
    `INSERT INTO retention_settings (device_id, set_id, object) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET object = excluded.object`,
    input.deviceId,
    input.setId,
    input.object,
  );
}

/** The newest roster, with the authority that signed it. */
export function setTrust(
  index: IndexConnection,
  input: { authorityKey: string; version: number | null; devices: readonly RosterDeviceRow[] },
): void {
  index.run('UPDATE vault SET authority_key = ?, roster_version = ?', input.authorityKey, input.version);
  replaceRoster(index, input.devices);
}

/** The numbers from which new files go on. */
export function setNextNumbers(
  index: IndexConnection,
  input: { nextPack: number; nextObject: number },
): void {
  index.run('UPDATE vault SET next_pack = ?, next_object = ?', input.nextPack, input.nextObject);
}

/** Why nothing may be written, or null from now on. */
export function setFrozen(index: IndexConnection, input: { reason: string | null }): void {
  index.run('UPDATE vault SET frozen_reason = ?', input.reason);
}

/** The row of a domain, or null. */
export function findDomainRow(index: IndexConnection, domainId: string): { domain: number } | null {
  return index.get<{ domain: number }>('SELECT domain FROM domains WHERE domain_id = ?', domainId) ?? null;
}

/** Adds a domain. @returns its row */
export function insertDomain(index: IndexConnection, input: { domainId: string; deviceId: string }): number {
  const { domain } = index.get<{ domain: number }>(
    'INSERT INTO domains (domain_id, device_id) VALUES (?, ?) RETURNING domain',
    input.domainId,
    input.deviceId,
  ) as { domain: number };
  return domain;
}

/** Whose key period it is, or null when its object is not there. */
export function deviceOfKeyPeriod(index: IndexConnection, keyPeriodId: string): string | null {
  const sql = `SELECT device_id AS deviceId FROM objects WHERE kind = 'keyring' AND key = ?`;
  return index.get<{ deviceId: string }>(sql, keyPeriodId)?.deviceId ?? null;
}

export interface FoundPack {
  readonly number: number;
  readonly kind: number;
  readonly length: number;
  readonly hash: Uint8Array;
  readonly deviceId: string;
  readonly receivedMs: number;
  /** How many blobs its trailer names. */
  readonly blobs: number;
  /** Those that are intact as far as was looked. */
  readonly found: readonly FoundBlob[];
  /** Length of those that are not. */
  readonly damagedBytes: number;
}

export interface FoundBlob {
  readonly domain: number;
  readonly chunkId: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly type: number;
  readonly table: PackedIds | null;
}

/**
 * Adds a pack and those of its pieces that no pack before it had: packs come from the newest to the oldest, because a
 * newer copy is one that healed an older, or that was moved out of a pack that was about to go.
 */
export function insertFoundPack(index: IndexConnection, pack: FoundPack): void {
  index.run(
    `INSERT INTO packs (number, kind, length, hash, blobs, duplicates, healed, dead_bytes, device_id, operation_id,
       received_ms)
     VALUES (?, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?)`,
    pack.number,
    pack.kind,
    pack.length,
    pack.hash,
    pack.blobs,
    pack.deviceId,
    `rebuilt-${pack.number}`,
    pack.receivedMs,
  );
  let duplicates = 0;
  let deadBytes = pack.damagedBytes;
  for (const blob of pack.found) {
    if (insertFoundBlob(index, pack.number, blob)) continue;
    duplicates += 1;
    deadBytes += blob.length;
  }
  index.run(
    'UPDATE packs SET duplicates = ?, dead_bytes = ?, needs_rewrite = ? WHERE number = ?',
    duplicates,
    deadBytes,
    pack.damagedBytes > 0 ? 1 : 0,
    pack.number,
  );
}

function insertFoundBlob(index: IndexConnection, pack: number, blob: FoundBlob): boolean {
  const { changes, lastInsertRowid } = index
    .statement(
      `INSERT INTO chunks (domain, chunk_id, pack, offset, length, type) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    )
    .run(blob.domain, blob.chunkId, pack, blob.offset, blob.length, blob.type);
  if (changes === 0) return false;
  if (blob.table !== null) {
    index.run('INSERT INTO node_tables (chunk, ids) VALUES (?, ?)', lastInsertRowid, blob.table);
  }
  return true;
}
