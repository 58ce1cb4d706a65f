import { CofreError } from '@cofre/shared/errors';
import { CHUNK_ID_BYTES } from '@cofre/shared/ids';
import type { IndexConnection } from './connection.ts';
import { countOfIds, idAt, type PackedIds } from './packed-ids.ts';
import {
  findDomain,
  requireDomainOfDevice,
  requireSession,
  requireUnrevoked,
  type InSession,
} from './sessions.store.ts';

export const CHUNK_LIVE = 0;

/** Flags of an answer to `have`. */
export const HAVE_MISSING = 0;
export const HAVE_LIVE = 1;
/** Live, but it was not read and compared since the time that was asked for. */
export const HAVE_UNVERIFIED = 2;
/**
 * Added to a flag of what is live, but condemned: whoever is told that it is there must have revived it before. It never
 * leaves the server.
 */
export const HAVE_CONDEMNED = 4;

/**
 * One byte an id: {@link HAVE_MISSING}, {@link HAVE_LIVE} or, if `verifiedSinceMs` is given, {@link HAVE_UNVERIFIED},
 * the latter two perhaps with {@link HAVE_CONDEMNED}; and the packs that wait for nobody yet of those not verified.
 */
export function haveChunks(
  index: IndexConnection,
  input: InSession & { ids: PackedIds; verifiedSinceMs: number | null },
): { flags: Uint8Array; unverifiedPacks: number[]; leaseUntilMs: number } {
  const session = requireSession(index, input);
  const flags = new Uint8Array(countOfIds(input.ids));
  const unverifiedPacks = new Set<number>();
  // One statement for all: asked one by one, ten thousand calls cost more than what they look up.
  const rows = index
    .statement(
      `WITH RECURSIVE places (place) AS (
         SELECT 0 UNION ALL SELECT place + 1 FROM places WHERE place + 1 < @count
       )
       SELECT place, iif(condemned_in IS NULL, ${HAVE_LIVE}, ${HAVE_LIVE + HAVE_CONDEMNED}), pack
       FROM places CROSS JOIN chunks LEFT JOIN loose_chunks USING (chunk)
       WHERE domain = @domain AND chunk_id = substr(@ids, place * ${CHUNK_ID_BYTES} + 1, ${CHUNK_ID_BYTES})
         AND state = ${CHUNK_LIVE}`,
    )
    .raw()
    .all({ count: flags.length, domain: session.domain, ids: input.ids }) as [number, number, number][];
  const ages = new Map<number, PackAge>();
  for (const [place, flag, pack] of rows) {
    flags[place] = flag;
    if (input.verifiedSinceMs === null) continue;
    const age = ages.get(pack) ?? ageOfPack(index, pack, input.verifiedSinceMs);
    ages.set(pack, age);
    if (age !== 'verified') flags[place] = flag - HAVE_LIVE + HAVE_UNVERIFIED;
    if (age === 'unverified') unverifiedPacks.add(pack);
  }
  return { flags, unverifiedPacks: [...unverifiedPacks], leaseUntilMs: session.leaseUntilMs };
}

type PackAge = 'verified' | 'unverified' | 'waiting';

function ageOfPack(index: IndexConnection, pack: number, verifiedSinceMs: number): PackAge {
  const { age } = index.get<{ age: PackAge }>(
    `SELECT CASE WHEN last_verified_ms >= ? THEN 'verified' WHEN scrub_first_ms IS NULL THEN 'unverified'
       ELSE 'waiting' END AS age
     FROM packs WHERE number = ?`,
    verifiedSinceMs,
    pack,
  ) as { age: PackAge };
  return age;
}

/**
 * Takes back what a collection said about these chunks: from here on the session of whoever asks protects them.
 * @returns one byte an id, {@link HAVE_LIVE} or {@link HAVE_MISSING}
 */
export function reviveChunks(index: IndexConnection, input: InSession & { ids: PackedIds }): Uint8Array {
  const session = requireSession(index, input);
  const flags = new Uint8Array(countOfIds(input.ids));
  const find = index
    .statement(`SELECT chunk FROM chunks WHERE domain = ? AND chunk_id = ? AND state = ${CHUNK_LIVE}`)
    .pluck();
  for (let place = 0; place < flags.length; place++) {
    const chunk = find.get(session.domain, idAt(input.ids, place)) as number | undefined;
    if (chunk === undefined) continue;
    reviveChunk(index, chunk);
    flags[place] = HAVE_LIVE;
  }
  return flags;
}

/** A chunk that somebody has asked for, or sent again, is condemned anew at the earliest. */
export function reviveChunk(index: IndexConnection, chunk: number): void {
  index.run('UPDATE loose_chunks SET condemned_in = NULL, condemned_ms = NULL WHERE chunk = ?', chunk);
}

/** Where chunks lie: for each id its pack, offset and length, or pack 0 when it is not there. */
export interface ChunkPlaces {
  readonly packs: Float64Array;
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
}

/** @throws CofreError `not_found` for a domain that this device may not read */
export function locateChunks(
  index: IndexConnection,
  input: { deviceId: string; readsTenant: boolean; domainId: string; ids: PackedIds },
): ChunkPlaces {
  requireUnrevoked(index, input);
  const domain = input.readsTenant
    ? findDomain(index, input.domainId)
    : requireDomainOfDevice(index, input.deviceId, input.domainId);
  if (domain === null) throw new CofreError('not_found', { what: 'domain' });
  const count = countOfIds(input.ids);
  const places = {
    packs: new Float64Array(count),
    offsets: new Float64Array(count),
    lengths: new Uint32Array(count),
  };
  const find = index.statement('SELECT pack, offset, length FROM chunks WHERE domain = ? AND chunk_id = ?');
  for (let place = 0; place < count; place++) {
    const row = find.get(domain.domain, idAt(input.ids, place)) as
      { pack: number; offset: number; length: number } | undefined;
    if (row === undefined) continue;
    places.packs[place] = row.pack;
    places.offsets[place] = row.offset;
    places.lengths[place] = row.length;
  }
  return places;
}
