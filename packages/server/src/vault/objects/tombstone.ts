import { RecordReader, RecordWriter } from '@cofre/shared/encoding/record';
import { writeTime } from '@cofre/shared/encoding/time';
import type { SnapshotId } from '@cofre/shared/ids';

/** The server's word that the content of a snapshot went. It is durable before anything goes; the manifest stays. */
export interface Tombstone {
  readonly snapshotId: SnapshotId;
  /** Service time at which somebody, or a rule, deleted it. */
  readonly deletedNs: bigint;
  /** Service time at which the delay was over and its content went. */
  readonly droppedNs: bigint;
  /** Stable, see `DELETE_REASONS`. */
  readonly reason: string;
}

/** A canonical record: 1 snapshot id, 2 time of deletion, 3 time at which its content went, 4 reason. */
export function encodeTombstone(tombstone: Tombstone): Buffer {
  return new RecordWriter()
    .hex(1, true, tombstone.snapshotId)
    .build(2, false, (target) => writeTime(target, tombstone.deletedNs))
    .build(3, false, (target) => writeTime(target, tombstone.droppedNs))
    .text(4, false, tombstone.reason)
    .take();
}

/** @throws CofreError `damaged`, `unknown_format` */
export function decodeTombstone(bytes: Uint8Array): Tombstone {
  const record = new RecordReader(bytes, 'A tombstone');
  const tombstone: Tombstone = {
    snapshotId: record.hex(1, 32),
    deletedNs: record.time(2),
    droppedNs: record.time(3),
    reason: record.text(4),
  };
  record.close();
  return tombstone;
}
