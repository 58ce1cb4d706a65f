import type { ByteString } from '@cofre/shared/bytes';
import type { BackupProgress } from './backup.ts';

const INTERVAL_MS = 100;

type Numbers = Omit<BackupProgress, 'phase' | 'currentPath'>;

/**
 * Tells an observer where a run is: not too often, and with numbers that only grow, also when an attempt failed and
 * the next one begins to count anew.
 */
export class ProgressReport {
  private readonly tell: (progress: BackupProgress) => void;
  private readonly highest = { filesDone: 0, filesFound: 0, bytesRead: 0, bytesSent: 0, bytesSeen: 0 };
  private phase: BackupProgress['phase'] | null = null;
  private toldMs = 0;

  constructor(tell: (progress: BackupProgress) => void) {
    this.tell = tell;
  }

  /** Whether it is time to tell something: asked before the numbers are put together. */
  isDue(phase: BackupProgress['phase']): boolean {
    return phase !== this.phase || performance.now() - this.toldMs >= INTERVAL_MS;
  }

  update(phase: BackupProgress['phase'], numbers: Numbers, currentPath: ByteString | null): void {
    for (const name of Object.keys(this.highest) as (keyof Numbers)[]) {
      this.highest[name] = Math.max(this.highest[name], numbers[name]);
    }
    this.phase = phase;
    this.toldMs = performance.now();
    this.tell({ phase, ...this.highest, currentPath });
  }
}
