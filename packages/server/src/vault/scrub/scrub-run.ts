import type { ScrubCounts, ScrubReport } from '@cofre/shared/wire/damage';

/** How a scrub is to run, and when it has to end. */
export interface ScrubRun {
  readonly signal: AbortSignal;
  /** Read at most; null for no bound. Without it `LIMITS.scrubBytesPerSecond`. */
  readonly bytesPerSecond?: number | null;
  /** It begins no further pack after this time. */
  readonly budgetMs?: number;
  /** Read everything now, and not only a share of what is due. */
  readonly everything?: boolean;
  /** Gets bytes as they are read. */
  readonly onProgress?: (bytes: number) => void;
}

/** What was read in one vault, and what was done about what is damaged. */
export type ScrubResult = Omit<ScrubReport, 'tenants' | 'failures'>;

/** Where counting begins. */
export const NOTHING_SCRUBBED: Readonly<ScrubCounts> = {
  packs: 0,
  objects: 0,
  bytes: 0,
  damagedChunks: 0,
  recoveredChunks: 0,
  packsToRewrite: 0,
  rewrittenObjects: 0,
  mendedRows: 0,
  lostObjects: 0,
};
