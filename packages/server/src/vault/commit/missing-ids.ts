import type { ChunkId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { unpackIds, type PackedIds } from '../index/packed-ids.ts';

/**
 * Ids that a commit lacks, each once, as many as are reported. Of more only the number is kept: a commit may name ten
 * million, and after a loss all of them may be missing.
 */
export class MissingIds {
  private readonly reported = new Set<ChunkId>();
  private unreported = 0;

  add(ids: PackedIds): void {
    for (const id of unpackIds(ids)) {
      if (this.reported.has(id)) continue;
      if (this.reported.size < LIMITS.missingIdsReportedMax) this.reported.add(id);
      else this.unreported += 1;
    }
  }

  /** How many there are; ids beyond the reported ones count as often as they are named. */
  get total(): number {
    return this.reported.size + this.unreported;
  }

  ids(): ChunkId[] {
    return [...this.reported];
  }
}
