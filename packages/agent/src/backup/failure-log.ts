import type { BackupFailure } from './backup.ts';

/** Failures that are kept with the snapshot: enough to see what is wrong, bounded whatever goes wrong. */
const KEPT_MAX = 500;
const KEPT_PATH_BYTES_MAX = 256;
/** What a run remembers to have told: beyond it, a further attempt tells things twice. */
const TOLD_MAX = 20_000;

type KeptFailure = Pick<BackupFailure, 'path' | 'reason'>;

/** Passes each failure of a run on once, however many attempts meet it, and keeps the first ones of the last attempt. */
export class FailureLog {
  private readonly report: (failure: BackupFailure) => void;
  private readonly told = new Set<string>();
  private ofAttempt: KeptFailure[] = [];

  constructor(report: (failure: BackupFailure) => void) {
    this.report = report;
  }

  get kept(): readonly KeptFailure[] {
    return this.ofAttempt;
  }

  /** A further attempt meets everything anew. */
  beginAttempt(): void {
    this.ofAttempt = [];
  }

  add(failure: BackupFailure): void {
    const { path, reason, isSkip } = failure;
    if (this.isNew(`${path}\0${reason}`)) this.report(failure);
    const isKept = !isSkip && this.ofAttempt.length < KEPT_MAX && path.length <= KEPT_PATH_BYTES_MAX;
    if (isKept) this.ofAttempt.push({ path, reason });
  }

  private isNew(failure: string): boolean {
    if (this.told.has(failure)) return false;
    if (this.told.size < TOLD_MAX) this.told.add(failure);
    return true;
  }
}
