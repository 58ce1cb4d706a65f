import { RecordReader, RecordWriter } from '../../encoding/record.ts';
import { writeTime } from '../../encoding/time.ts';
import type { SnapshotId } from '../../ids.ts';

/** What the server adds to a snapshot when it takes it. Retention and locks count from here. */
export interface Receipt {
  readonly snapshotId: SnapshotId;
  /** Service time. */
  readonly receivedNs: bigint;
  /** Nothing and nobody deletes the snapshot before this service time. */
  readonly lockedUntilNs: bigint;
}

/** The bytes of a receipt. Nobody signs it: it is the server's own word. */
export function encodeReceipt(receipt: Receipt): Buffer {
  return new RecordWriter()
    .hex(1, true, receipt.snapshotId)
    .build(2, true, (target) => writeTime(target, receipt.receivedNs))
    .build(3, true, (target) => writeTime(target, receipt.lockedUntilNs))
    .take();
}

/** @throws CofreError `damaged`, `unknown_format` */
export function decodeReceipt(payload: Uint8Array): Receipt {
  const record = new RecordReader(payload, 'A receipt');
  const receipt: Receipt = {
    snapshotId: record.hex(1, 32),
    receivedNs: record.time(2),
    lockedUntilNs: record.time(3),
  };
  record.close();
  return receipt;
}
