import { CofreError } from '@cofre/shared/errors';
import { CHUNK_ID_BYTES } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { IndexConnection } from './connection.ts';
import type { PackedIds } from './packed-ids.ts';
import { requireSession, type InSession } from './sessions.store.ts';

/** Parts of one change at most: with full parts ten million ids, which is some ten terabytes of content. */
const STAGED_PARTS_MAX = 200;

/** What all sessions of a vault may stage together: two of the largest changes. */
const STAGED_BYTES_MAX = 2 * STAGED_PARTS_MAX * LIMITS.refsPartIdsMax * CHUNK_ID_BYTES;

/**
 * Whether a part may be sent in this session, asked before its ids are hashed.
 * @throws CofreError of the session, `too_large`, or `unavailable` while too much is staged
 */
export function checkPart(index: IndexConnection, input: InSession & { part: number; bytes: number }): void {
  requireSession(index, input);
  if (input.part >= STAGED_PARTS_MAX) {
    const limit = STAGED_PARTS_MAX * LIMITS.refsPartIdsMax;
    throw new CofreError('too_large', { what: 'The change of a snapshot', limit: `${limit} pieces` });
  }
  const { bytes } = index.get<{ bytes: number }>(
    'SELECT coalesce(sum(length(ids)), 0) AS bytes FROM staged_parts',
  ) as { bytes: number };
  if (bytes + input.bytes <= STAGED_BYTES_MAX) return;
  throw new CofreError('unavailable', { problem: 'too many large snapshots are on their way' });
}

/**
 * Keeps a part of a session's change of the refset; the same part again replaces it.
 * @throws CofreError as {@link checkPart}
 */
export function stagePart(
  index: IndexConnection,
  input: InSession & { mode: 'add' | 'remove'; part: number; ids: PackedIds; hashState: Uint8Array },
): void {
  checkPart(index, { ...input, bytes: input.ids.length });
  const { session } = requireSession(index, input);
  index.run(
    `INSERT INTO staged_parts (session, mode, part, ids, hash_state) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET ids = excluded.ids, hash_state = excluded.hash_state`,
    session,
    input.mode,
    input.part,
    input.ids,
    input.hashState,
  );
}
