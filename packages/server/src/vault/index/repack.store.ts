import { PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import { LIMITS } from '@cofre/shared/limits';
import { packPath } from '../layout.ts';
import { CHUNK_LIVE } from './chunks.store.ts';
import { DEAD_SHARE, doomPack, type DoomedPack } from './collection.store.ts';
import type { IndexConnection } from './connection.ts';
import { addIntent } from './intents.store.ts';
import type { PackRow } from './verify.store.ts';

/** A pack that is to be written anew. */
export interface RepackSource extends PackRow {
  readonly deviceId: string;
  readonly domain: number;
  readonly receivedMs: number;
}

/** Of so many packs with the most dead bytes, those that belong together are taken. */
const CANDIDATES_MAX = 500;

/**
 * Packs that are worth writing anew and may share a new one: of one kind, device and domain. Those come first of which
 * something is altered that nothing needs, then those with the most dead bytes. Packs with damaged pieces stay as they
 * are, because nothing comes back while such a piece lies in them; young ones too (see {@link doomDeadPacks}).
 * @param input.except packs that were tried and did not get smaller
 */
export function pickRepackable(
  index: IndexConnection,
  input: { receivedUntilMs: number; except: readonly number[] },
): RepackSource[] {
  const values = { receivedUntilMs: input.receivedUntilMs, except: JSON.stringify(input.except) };
  const altered = listCandidates(index, 'needs_rewrite != 0', values);
  const isDead = `${DEAD_SHARE} >= ${LIMITS.repackDeadPercentMin * 10}`;
  const candidates = altered.length > 0 ? altered : listCandidates(index, isDead, values);
  const [first] = candidates;
  return candidates
    .filter(
      ({ kind, deviceId, domain }) =>
        kind === first?.kind && deviceId === first.deviceId && domain === first.domain,
    )
    .slice(0, LIMITS.repackSourcesMax);
}

function listCandidates(
  index: IndexConnection,
  condition: string,
  values: { receivedUntilMs: number; except: string },
): RepackSource[] {
  return index.all<RepackSource>(
    `SELECT number, kind, packs.length AS length, hash, blobs, dead_bytes AS deadBytes, device_id AS deviceId,
       received_ms AS receivedMs, (SELECT domain FROM chunks WHERE pack = number LIMIT 1) AS domain
     FROM packs
     WHERE ${condition} AND received_ms <= @receivedUntilMs AND EXISTS (SELECT 1 FROM chunks WHERE pack = number)
       AND NOT EXISTS (SELECT 1 FROM chunks WHERE pack = number AND state != ${CHUNK_LIVE})
       AND number NOT IN (SELECT value FROM json_each(@except))
     ORDER BY ${DEAD_SHARE} DESC LIMIT ${CANDIDATES_MAX}`,
    values,
  );
}

/** A live piece in a pack, by the row that points to it. */
export interface LiveBlob {
  readonly chunk: number;
  readonly chunkId: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly type: number;
}

/** The live pieces of a pack, by offset. */
export function listLiveBlobs(
  index: IndexConnection,
  input: { pack: number; after: number; limit: number },
): LiveBlob[] {
  return index.all<LiveBlob>(
    `SELECT chunk, chunk_id AS chunkId, offset, length, type FROM chunks
     WHERE pack = @pack AND offset > @after AND state = ${CHUNK_LIVE} ORDER BY offset LIMIT @limit`,
    input,
  );
}

/** Takes a number for a pack that is about to be written, and notes its file. It takes nothing of the quota. */
export function beginRepack(index: IndexConnection, input: { nowMs: number }): { number: number } {
  const taken = index.get<{ number: number }>(
    'UPDATE vault SET next_pack = next_pack + 1 RETURNING next_pack - 1 AS number',
  ) as { number: number };
  addIntent(index, packPath(taken.number), 0, input.nowMs);
  return taken;
}

/** A piece that was copied: blob `i` of the new pack begins where the ones before it end. */
export interface MovedBlob {
  readonly chunk: number;
  readonly chunkId: Uint8Array;
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
}

export interface SwapInput {
  readonly nowMs: number;
  readonly number: number;
  readonly kind: number;
  readonly lengthBytes: number;
  readonly hash: Uint8Array;
  readonly deviceId: string;
  /** The newest arrival among what it holds. */
  readonly receivedMs: number;
  readonly blobs: readonly MovedBlob[];
}

/**
 * Points the rows of copied pieces to a pack that is durable under its name, in place of its intent. A row that points
 * elsewhere by now (healed, damaged, dropped) stays as it is: its copy is dead. Old packs without any row left are doomed.
 */
export function swapBlobs(index: IndexConnection, input: SwapInput): { moved: number; doomed: DoomedPack[] } {
  insertRepacked(index, input);
  let moved = 0;
  let deadBytes = 0;
  let place = PACK_HEADER_BYTES;
  for (const { chunk, pack, offset, length } of input.blobs) {
    const changes = index.run(
      `UPDATE chunks SET pack = ?, offset = ? WHERE chunk = ? AND pack = ? AND offset = ? AND length = ?
         AND state = ${CHUNK_LIVE}`,
      input.number,
      place,
      chunk,
      pack,
      offset,
      length,
    );
    place += length;
    moved += changes;
    if (changes === 0) deadBytes += length;
    else index.run('UPDATE packs SET dead_bytes = dead_bytes + ? WHERE number = ?', length, pack);
  }
  if (deadBytes > 0) index.run('UPDATE packs SET dead_bytes = ? WHERE number = ?', deadBytes, input.number);
  index.run('DELETE FROM intents WHERE path = ?', packPath(input.number));
  return { moved, doomed: doomEmptied(index, new Set(input.blobs.map(({ pack }) => pack))) };
}

/** No device's operation has such a name (those are 32 hexadecimal digits), and no number is used twice. */
function insertRepacked(index: IndexConnection, input: SwapInput): void {
  index.run(
    `INSERT INTO packs (number, kind, length, hash, blobs, duplicates, healed, dead_bytes, device_id, operation_id,
       received_ms, last_verified_ms)
     VALUES (?, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?)`,
    input.number,
    input.kind,
    input.lengthBytes,
    input.hash,
    input.blobs.length,
    input.deviceId,
    `repack-${input.number}`,
    input.receivedMs,
    input.nowMs,
  );
}

function doomEmptied(index: IndexConnection, packs: ReadonlySet<number>): DoomedPack[] {
  return [...packs].flatMap((pack) => {
    const emptied = index.get<{ number: number; length: number }>(
      `SELECT number, length FROM packs WHERE number = ? AND NOT EXISTS (SELECT 1 FROM chunks WHERE pack = number)`,
      pack,
    );
    return emptied === undefined ? [] : [doomPack(index, emptied)];
  });
}
