import { CofreError } from '@cofre/shared/errors';
import { PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import { packPath } from '../layout.ts';
import { CHUNK_LIVE, reviveChunk } from './chunks.store.ts';
import type { IndexConnection } from './connection.ts';
import { healDamage } from './damages.store.ts';
import { addIntent } from './intents.store.ts';
import { adoptTable, LOST_PACK } from './lost-chunks.store.ts';
import { countOfIds, idAt, type PackedIds } from './packed-ids.ts';
import { requireQuota } from './quota.store.ts';
import { requireSession, renewLease, type InSession } from './sessions.store.ts';

export interface PackAnswer {
  readonly packNumber: number;
  readonly blobs: number;
  readonly duplicates: number;
  readonly healed: number;
}

export type BegunPack =
  | { readonly status: 'known'; readonly answer: PackAnswer }
  | {
      readonly status: 'begun';
      readonly number: number;
      readonly domainId: string;
      /** Set when only catalogs still fit: the quota that content would pass. */
      readonly contentRefusal: Record<string, string | number> | null;
    };

/**
 * Takes a number and reserves quota for a pack that is about to arrive.
 * @throws CofreError of the session, or `over_quota`
 */
export function beginPack(
  index: IndexConnection,
  input: InSession & { operationId: string; lengthBytes: number },
): BegunPack {
  const session = requireSession(index, input);
  const answer = findOperation(index, input.deviceId, input.operationId);
  if (answer !== null) return { status: 'known', answer };
  const contentRefusal = requireQuota(index, input.lengthBytes);
  const { number } = index.get<{ number: number }>(
    'UPDATE vault SET next_pack = next_pack + 1 RETURNING next_pack - 1 AS number',
  ) as { number: number };
  addIntent(index, packPath(number), input.lengthBytes, input.nowMs);
  renewLease(index, session.session, input.nowMs);
  return { status: 'begun', number, domainId: session.domainId, contentRefusal };
}

function findOperation(index: IndexConnection, deviceId: string, operationId: string): PackAnswer | null {
  return (
    index.get<PackAnswer>(
      `SELECT number AS packNumber, blobs, duplicates, healed FROM packs WHERE device_id = ? AND operation_id = ?`,
      deviceId,
      operationId,
    ) ?? null
  );
}

/** A pack that is durable under its final name. Blob `i` begins where the ones before it end. */
export interface ArrivedPack {
  readonly number: number;
  readonly operationId: string;
  readonly kind: number;
  readonly lengthBytes: number;
  readonly hash: Uint8Array;
  readonly ids: PackedIds;
  readonly types: Uint8Array;
  readonly lengths: Uint32Array;
  /** Blobs with a table, by place. */
  readonly tables: readonly { readonly place: number; readonly ids: PackedIds }[];
  readonly keyPeriods: readonly string[];
}

/**
 * Adds the rows of a pack in place of its intent. What is there already stays where it is, and its second copy
 * counts as dead; a quarantined chunk is healed by it.
 * @returns the answer, and whether another pack of the same operation came first: then this one has no rows
 * @throws CofreError `pack_invalid` when a key period has no keyring object: nobody could ever open the blobs
 */
export function recordPack(
  index: IndexConnection,
  input: InSession & ArrivedPack,
): { answer: PackAnswer; isSuperseded: boolean } {
  const known = findOperation(index, input.deviceId, input.operationId);
  if (known !== null) return { answer: known, isSuperseded: true };
  requireKeyrings(index, input.deviceId, input.keyPeriods);
  const { domain } = index.get<{ domain: number }>(
    'SELECT domain FROM sessions WHERE session_id = ?',
    input.sessionId,
  ) as { domain: number };
  insertPack(index, input);
  const counted = insertBlobs(index, domain, input, input.nowMs);
  index.run(
    'UPDATE packs SET duplicates = ?, healed = ?, dead_bytes = dead_bytes + ? WHERE number = ?',
    counted.duplicates,
    counted.healed,
    counted.deadBytes,
    input.number,
  );
  index.run('UPDATE vault SET used_bytes = used_bytes + ?', counted.addedBytes);
  index.run('UPDATE domains SET chunk_count = chunk_count + ? WHERE domain = ?', counted.added, domain);
  index.run('DELETE FROM intents WHERE path = ?', packPath(input.number));
  const answer = {
    packNumber: input.number,
    blobs: countOfIds(input.ids),
    duplicates: counted.duplicates,
    healed: counted.healed,
  };
  return { answer, isSuperseded: false };
}

function requireKeyrings(index: IndexConnection, deviceId: string, keyPeriods: readonly string[]): void {
  for (const keyPeriod of keyPeriods) {
    const row = index.get<{ deviceId: string }>(
      `SELECT device_id AS deviceId FROM objects WHERE kind = 'keyring' AND key = ?`,
      keyPeriod,
    );
    if (row?.deviceId !== deviceId) {
      throw new CofreError('pack_invalid', { problem: `its key period ${keyPeriod} has no keyring object` });
    }
  }
}

function insertPack(index: IndexConnection, input: InSession & ArrivedPack): void {
  index.run(
    `INSERT INTO packs (number, kind, length, hash, blobs, duplicates, healed, dead_bytes, device_id, operation_id,
       received_ms)
     VALUES (?, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?)`,
    input.number,
    input.kind,
    input.lengthBytes,
    input.hash,
    countOfIds(input.ids),
    input.deviceId,
    input.operationId,
    input.nowMs,
  );
}

interface Counted {
  added: number;
  addedBytes: number;
  duplicates: number;
  healed: number;
  deadBytes: number;
}

function insertBlobs(index: IndexConnection, domain: number, pack: ArrivedPack, nowMs: number): Counted {
  const counted: Counted = { added: 0, addedBytes: 0, duplicates: 0, healed: 0, deadBytes: 0 };
  const insert = index.statement(
    `INSERT INTO chunks (domain, chunk_id, pack, offset, length, type) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const tables = new Map(pack.tables.map(({ place, ids }) => [place, ids]));
  let offset = PACK_HEADER_BYTES;
  for (let place = 0; place < pack.lengths.length; place++) {
    const id = idAt(pack.ids, place);
    const length = pack.lengths[place] as number;
    const table = tables.get(place) ?? null;
    const type = pack.types[place] as number;
    const { changes, lastInsertRowid } = insert.run(domain, id, pack.number, offset, length, type);
    if (changes === 1) {
      counted.added += 1;
      counted.addedBytes += length;
      index.run('INSERT INTO loose_chunks (chunk) VALUES (?)', lastInsertRowid);
      if (table !== null) insertTable(index, Number(lastInsertRowid), table);
    } else {
      settleKnown(index, counted, { domain, id, pack: pack.number, offset, length, type, table, nowMs });
    }
    offset += length;
  }
  return counted;
}

interface KnownBlob {
  readonly domain: number;
  readonly id: Buffer;
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
  readonly type: number;
  readonly table: PackedIds | null;
  readonly nowMs: number;
}

/** A blob whose id has a row: dead on arrival, unless the row's own bytes are quarantined. */
function settleKnown(index: IndexConnection, counted: Counted, blob: KnownBlob): void {
  const known = index.get<{ chunk: number; pack: number; length: number; state: number }>(
    'SELECT chunk, pack, length, state FROM chunks WHERE domain = ? AND chunk_id = ?',
    blob.domain,
    blob.id,
  ) as { chunk: number; pack: number; length: number; state: number };
  counted.duplicates += 1;
  reviveChunk(index, known.chunk);
  if (known.state === CHUNK_LIVE) {
    counted.deadBytes += blob.length;
    return;
  }
  counted.healed += 1;
  index.run(
    'UPDATE chunks SET pack = ?, offset = ?, length = ?, type = ?, state = 0 WHERE chunk = ?',
    blob.pack,
    blob.offset,
    blob.length,
    blob.type,
    known.chunk,
  );
  index.run('UPDATE packs SET dead_bytes = dead_bytes + ? WHERE number = ?', known.length, known.pack);
  counted.addedBytes += blob.length - known.length;
  countHealed(index, known.chunk, blob.length - known.length);
  healDamage(index, { domain: blob.domain, chunkId: blob.id, pack: blob.pack, nowMs: blob.nowMs });
  if (known.pack === LOST_PACK) adoptTable(index, { ...blob, chunk: known.chunk });
  else requireSameTable(index, known.chunk, blob.table);
}

/** The same content may have been sealed to another length: the sets that need it count that. */
function countHealed(index: IndexConnection, chunk: number, changeBytes: number): void {
  if (changeBytes === 0) return;
  const isInHead = 'EXISTS (SELECT 1 FROM head_refs WHERE head_refs.chain = chains.chain AND chunk = @chunk)';
  const isInPast = 'EXISTS (SELECT 1 FROM past_refs WHERE past_refs.chain = chains.chain AND chunk = @chunk)';
  const values = { chunk, changeBytes };
  index.run(
    `UPDATE chains SET past_bytes = past_bytes + @changeBytes WHERE NOT ${isInHead} AND ${isInPast}`,
    values,
  );
  index.run(`UPDATE chains SET head_bytes = head_bytes + @changeBytes WHERE ${isInHead}`, values);
}

/**
 * A node's id covers its table: with another one it is not that node, and what is counted of it would be wrong.
 * @throws CofreError `pack_invalid`
 */
function requireSameTable(index: IndexConnection, chunk: number, table: PackedIds | null): void {
  const known = index.get<{ ids: Buffer }>('SELECT ids FROM node_tables WHERE chunk = ?', chunk)?.ids ?? null;
  const isSame = known === null || table === null ? known === table : known.equals(table);
  if (!isSame) throw new CofreError('pack_invalid', { problem: 'a node comes again with another table' });
}

function insertTable(index: IndexConnection, chunk: number, ids: PackedIds): void {
  index.run('INSERT INTO node_tables (chunk, ids) VALUES (?, ?)', chunk, ids);
}
