import type { SnapshotId } from '@cofre/shared/ids';
import {
  PATHS_NAMED_MAX,
  type VerifyFindingCode,
  type VerifyObserver,
  type VerifyProgress,
  type VerifySummary,
} from './verify.ts';
import type { ByteString } from '@cofre/shared/bytes';

/** Counts what a verification does, and tells its observer. */
export class VerifyTally {
  readonly #observer: VerifyObserver;
  readonly #startMs = performance.now();
  #phase: VerifyProgress['phase'] = 'snapshots';
  #snapshotsDone = 0;
  #snapshotsTotal = 0;
  #chunksRead = 0;
  #bytesRead = 0;
  #findings = 0;

  constructor(observer: VerifyObserver) {
    this.#observer = observer;
  }

  begin(phase: VerifyProgress['phase'], snapshotsTotal = this.#snapshotsTotal): void {
    this.#phase = phase;
    this.#snapshotsTotal = snapshotsTotal;
    this.#tell();
  }

  snapshotDone(): void {
    this.#snapshotsDone += 1;
    this.#tell();
  }

  chunksRead(count: number, bytes: number): void {
    this.#chunksRead += count;
    this.#bytesRead += bytes;
    this.#tell();
  }

  finding(
    code: VerifyFindingCode,
    snapshotId: SnapshotId,
    detail: string,
    affected: AffectedPaths = new AffectedPaths(),
  ): void {
    this.#findings += 1;
    const { named: paths, count: pathCount } = affected;
    this.#observer.onFinding({ code, snapshotId, detail, paths, pathCount });
  }

  summary(): VerifySummary {
    return {
      snapshots: this.#snapshotsTotal,
      findings: this.#findings,
      chunksRead: this.#chunksRead,
      bytesRead: this.#bytesRead,
      durationMs: performance.now() - this.#startMs,
    };
  }

  #tell(): void {
    this.#observer.onProgress({
      phase: this.#phase,
      snapshotsDone: this.#snapshotsDone,
      snapshotsTotal: this.#snapshotsTotal,
      chunksRead: this.#chunksRead,
      bytesRead: this.#bytesRead,
    });
  }
}

/** Paths that something concerns: all are counted, the first are kept. A path counts once if it comes in a row. */
export class AffectedPaths {
  readonly named: ByteString[] = [];
  count = 0;
  #last: ByteString | null = null;

  add(path: ByteString): void {
    if (path === this.#last) return;
    this.#last = path;
    this.count += 1;
    if (this.named.length < PATHS_NAMED_MAX) this.named.push(path);
  }
}
