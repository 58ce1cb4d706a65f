import type { BackupFailure } from './backup.ts';

/** Failures that are kept with the snapshot: enough to see what is wrong, bounded whatever goes wrong. */
const KEPT_MAX = 500;
const KEPT_PATH_BYTES_MAX = 256;

/** Passes failures on and keeps the first of them. */
export class FailureLog {
  readonly kept: { readonly path: BackupFailure['path']; readonly reason: string }[] = [];
  private readonly report: (failure: BackupFailure) => void;

  constructor(report: (failure: BackupFailure) => void) {
    this.report = report;
  }

  add(failure: BackupFailure): void {
    this.report(failure);
    const isKept =
      !failure.isSkip && this.kept.length < KEPT_MAX && failure.path.length <= KEPT_PATH_BYTES_MAX;
    if (isKept) this.kept.push({ path: failure.path, reason: failure.reason });
  }
}
