import type { SnapshotStatistics } from '@cofre/shared/format/envelope/manifest';
import type { EntryQueue, FinishedEntry } from './entry-queue.ts';

/** Counts what belongs to a snapshot. */
export class EntryTally {
  private readonly counts = { files: 0, folders: 0, others: 0, bytes: 0 };

  add({ kind, hardLinkTo, sizeBytes }: FinishedEntry): void {
    if (kind === 'file') {
      this.counts.files += 1;
      if (hardLinkTo === '') this.counts.bytes += sizeBytes;
    } else if (kind === 'folder') {
      this.counts.folders += 1;
    } else {
      this.counts.others += 1;
    }
  }

  /** Takes what is finished at the front of a queue, and only counts it. */
  async takeFrom(queue: EntryQueue): Promise<void> {
    for (let entry = queue.take(); entry !== null; entry = queue.take()) this.add(entry);
  }

  statistics(failed: number): SnapshotStatistics {
    return { ...this.counts, failed };
  }
}
