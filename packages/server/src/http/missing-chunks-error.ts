import { CofreError } from '@cofre/shared/errors';
import type { ChunkId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';

/** `missing_chunks` with the list that goes into the problem; of a longer one, its beginning. */
export class MissingChunksError extends CofreError {
  readonly missing: readonly ChunkId[];

  constructor(total: number, missing: readonly ChunkId[]) {
    super('missing_chunks', { count: total });
    this.missing = missing.slice(0, LIMITS.missingIdsReportedMax);
  }
}
