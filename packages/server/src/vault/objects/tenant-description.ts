import { RecordReader, RecordWriter } from '@cofre/shared/encoding/record';
import { readTime, writeTime } from '@cofre/shared/encoding/time';
import { RANDOM_ID_BYTES, type TenantId } from '@cofre/shared/ids';

/**
 * What the store says about its tenant, so that directory and quota can be rebuilt from it. Each change adds a new
 * object; the one with the highest number counts.
 */
export interface TenantDescription {
  readonly tenantId: TenantId;
  /** Service time. */
  readonly describedNs: bigint;
  readonly quotaBytes: number;
  readonly name: string;
}

/** A canonical record: 1 tenant id, 2 time, 3 quota, 4 name. */
export function encodeTenantDescription(description: TenantDescription): Buffer {
  return new RecordWriter()
    .hex(1, true, description.tenantId)
    .build(2, false, (target) => writeTime(target, description.describedNs))
    .number(3, true, description.quotaBytes)
    .text(4, false, description.name)
    .take();
}

/** @throws CofreError `damaged`, `unknown_format` */
export function decodeTenantDescription(bytes: Uint8Array): TenantDescription {
  const record = new RecordReader(bytes, 'A tenant description');
  const description: TenantDescription = {
    tenantId: record.hex(1, RANDOM_ID_BYTES),
    describedNs: readTime(record.reader(2)),
    quotaBytes: record.number(3),
    name: record.text(4),
  };
  record.close();
  return description;
}
