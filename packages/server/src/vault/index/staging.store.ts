import { LIMITS } from '@cofre/shared/limits';
import { CofreError } from '@cofre/shared/errors';
import type { IndexConnection } from './connection.ts';
import type { PackedIds } from './packed-ids.ts';
import { requireSession, type InSession } from './sessions.store.ts';

/** Parts of one change at most: with full parts ten million ids, which is some ten terabytes of content. */
const STAGED_PARTS_MAX = 200;

/**
 * Keeps a part of a session's change of the refset; the same part again replaces it.
 * @throws CofreError of the session, or `too_large`
 */
export function stagePart(
  index: IndexConnection,
  input: InSession & { mode: 'add' | 'remove'; part: number; ids: PackedIds; hashState: Uint8Array },
): void {
  const { session } = requireSession(index, input);
  if (input.part >= STAGED_PARTS_MAX) {
    const limit = STAGED_PARTS_MAX * LIMITS.refsPartIdsMax;
    throw new CofreError('too_large', { what: 'The change of a snapshot', limit: `${limit} pieces` });
  }
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
