import type { SnapshotId } from '@cofre/shared/ids';
import type { DueSnapshot, ReleasePlace } from '../index/retention-release.store.ts';
import type { NewObject } from '../index/objects.store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { encodeTombstone } from '../objects/tombstone.ts';
import type { VaultContext } from '../vault-context.ts';

/** Tombstones that are made durable together. */
const BATCH_SNAPSHOTS = 20;
/** Rows that go in one transaction: some tens of milliseconds on a thread that others wait for too. */
const STEP_ROWS = 2_000;

/** Takes published tombstones back: one of their snapshots is not due any more. */
class NotDue extends Error {}

/**
 * Lets the content of deleted snapshots go. Each step can be the last one before a crash:
 *
 *     tombstones durable → their rows, which mark the snapshots → rows that hold chunks, some in each transaction
 *
 * Whoever comes next finishes what is marked before anything else.
 */
export class SnapshotDropper {
  private readonly vault: VaultContext;
  private readonly objects: ObjectStore;
  private place: ReleasePlace | null = null;

  constructor(vault: VaultContext, objects: ObjectStore) {
    this.vault = vault;
    this.objects = objects;
  }

  /**
   * One bounded piece of work: something of what is marked is finished, or else some of what is due is marked.
   * @returns how many went, what that freed, and whether nothing is left
   */
  async dropSome(): Promise<{ dropped: number; freedBytes: number; isDone: boolean }> {
    this.vault.requireWritable();
    const step = { rowsMax: STEP_ROWS, after: this.place };
    const { freedBytes, isDone, place } = await this.vault.index.call('releaseStep', step);
    this.place = place;
    if (!isDone) {
      this.vault.crashPoint('snapshot-released');
      return { dropped: 0, freedBytes, isDone: false };
    }
    const nowMs = this.vault.nowMs();
    const due = await this.vault.index.call('listDue', { nowMs, limit: BATCH_SNAPSHOTS });
    if (due.length === 0) return { dropped: 0, freedBytes: 0, isDone: true };
    return { dropped: (await this.bury(due)) ? due.length : 0, freedBytes: 0, isDone: false };
  }

  /** False when something came between: then nothing has happened. */
  private async bury(due: readonly DueSnapshot[]): Promise<boolean> {
    const nowMs = this.vault.nowMs();
    const contents = due.map(({ snapshotId, deletedMs, deleteReason }) => ({
      kind: 'tombstone' as const,
      key: snapshotId,
      deviceId: null,
      bytes: encodeTombstone({
        snapshotId: snapshotId as SnapshotId,
        deletedNs: BigInt(deletedMs) * 1_000_000n,
        droppedNs: BigInt(nowMs) * 1_000_000n,
        reason: deleteReason,
      }),
    }));
    const record = async (objects: NewObject[]): Promise<void> => {
      this.vault.crashPoint('tombstone-durable');
      const isRecorded = await this.vault.index.call('recordTombstones', {
        objects,
        nowMs: this.vault.nowMs(),
      });
      if (!isRecorded) throw new NotDue();
    };
    try {
      await this.objects.exclusively(() => this.objects.publish(contents, record));
      this.vault.crashPoint('tombstone-recorded');
      return true;
    } catch (error) {
      if (error instanceof NotDue) return false;
      throw error;
    }
  }
}
