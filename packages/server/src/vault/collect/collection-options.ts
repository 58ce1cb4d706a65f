/** How a collection is to be run. */
export interface CollectionOptions {
  readonly signal: AbortSignal;
  /** How fast packs are read to write them anew; null for as fast as it goes. */
  readonly bytesPerSecond: number | null;
  /** Gets what was done so far, after each step. */
  readonly onProgress?: (result: CollectionResult) => void;
  /** For tests: `LIMITS.readersGraceMs` otherwise. */
  readonly readersGraceMs?: number;
}

/** What a collection did. */
export interface CollectionResult {
  /** Chunks that nothing needs, and that may go when their grace is over. */
  readonly condemned: number;
  /** Chunks that are gone. */
  readonly dropped: number;
  /** What they took of the quota. */
  readonly freedBytes: number;
  /** Packs that were written anew, and how long the new ones are. */
  readonly repackedPacks: number;
  readonly writtenBytes: number;
  /** Damaged chunks that were found on the way, and put out of service. */
  readonly quarantined: number;
  /** Length of files that are gone from the store. */
  readonly unlinkedBytes: number;
}

/** Where counting begins. */
export const NOTHING_COLLECTED: CollectionResult = {
  condemned: 0,
  dropped: 0,
  freedBytes: 0,
  repackedPacks: 0,
  writtenBytes: 0,
  quarantined: 0,
  unlinkedBytes: 0,
};
