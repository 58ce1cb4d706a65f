import { CofreError } from '@cofre/shared/errors';
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

/** One byte an id: 1 live, 0 not. */
export function haveChunks(
  index: IndexConnection,
  input: InSession & { ids: PackedIds },
): { flags: Uint8Array; leaseUntilMs: number } {
  const session = requireSession(index, input);
  const flags = new Uint8Array(countOfIds(input.ids));
  const find = index.statement('SELECT state FROM chunks WHERE domain = ? AND chunk_id = ?').pluck();
  for (let place = 0; place < flags.length; place++) {
    if (find.get(session.domain, idAt(input.ids, place)) === CHUNK_LIVE) flags[place] = 1;
  }
  return { flags, leaseUntilMs: session.leaseUntilMs };
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
