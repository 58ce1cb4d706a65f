import type { ChunkId } from '@cofre/shared/ids';
import type { BackupFailure, BackupObserver, BackupProgress, BackupSummary } from './backup.ts';
import { FailureLog } from './failure-log.ts';
import { ProgressReport } from './progress-report.ts';

/** What was read and sent. */
export type Traffic = Pick<BackupSummary, 'bytesRead' | 'bytesSent' | 'chunksNew' | 'chunksHealed'>;

export const NO_TRAFFIC: Traffic = { bytesRead: 0, bytesSent: 0, chunksNew: 0, chunksHealed: 0 };

/** What the attempts of one run have in common. Everything else, what is known of chunks above all, each finds anew. */
export class RunRecord {
  readonly failures: FailureLog;
  readonly progress: ProgressReport;
  /** Chunks that the server refused a commit for want of. */
  readonly missing = new Set<ChunkId>();
  /** A commit was refused: what we know of the head is not to be relied on, the server is asked and told everything. */
  doubtsHead = false;
  /** Attempts that were begun. */
  attempts = 0;
  /** Of the attempts before the current one. */
  traffic: Traffic = NO_TRAFFIC;

  /** A further attempt meets everything anew. */
  beginAttempt(): void {
    this.attempts += 1;
    this.failures.beginAttempt();
  }

  constructor({ onFailure, onProgress }: BackupObserver) {
    this.failures = new FailureLog((failure: BackupFailure) => onFailure(failure));
    this.progress = new ProgressReport((progress: BackupProgress) => onProgress(progress));
  }
}
