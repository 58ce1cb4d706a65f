import { RecordReader, RecordWriter } from '@cofre/shared/encoding/record';
import { readTime, writeTime } from '@cofre/shared/encoding/time';
import { RANDOM_ID_BYTES, type TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';

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
  /** How long every snapshot is locked from its receipt on, and how long a deleted one can be brought back. */
  readonly lockMs: number;
  readonly softDeleteMs: number;
  /** From when on the tenant may be deleted; null while nobody asked for that. Nothing comes after it. */
  readonly deletionDueMs: number | null;
}

/**
 * A canonical record: 1 tenant id, 2 time, 3 quota, 4 name, 5 lock time, 6 time in which a deletion can be undone, 7 when
 * the tenant may be deleted (missing: not at all).
 */
export function encodeTenantDescription(description: TenantDescription): Buffer {
  const record = new RecordWriter()
    .hex(1, true, description.tenantId)
    .build(2, false, (target) => writeTime(target, description.describedNs))
    .number(3, true, description.quotaBytes)
    .text(4, false, description.name)
    .number(5, true, description.lockMs)
    .number(6, true, description.softDeleteMs);
  if (description.deletionDueMs !== null) record.number(7, true, description.deletionDueMs);
  return record.take();
}

/** @throws CofreError `damaged`, `unknown_format` */
export function decodeTenantDescription(bytes: Uint8Array): TenantDescription {
  const record = new RecordReader(bytes, 'A tenant description');
  const description: TenantDescription = {
    tenantId: record.hex(1, RANDOM_ID_BYTES),
    describedNs: readTime(record.reader(2)),
    quotaBytes: record.number(3),
    name: record.text(4),
    lockMs: record.optionalNumber(5) ?? LIMITS.lockDefaultMs,
    softDeleteMs: record.optionalNumber(6) ?? LIMITS.softDeleteDefaultMs,
    deletionDueMs: record.optionalNumber(7),
  };
  record.close();
  return description;
}

/** What counts for a tenant of which nothing was said yet. */
export function firstDescription(tenantId: TenantId): TenantDescription {
  return {
    tenantId,
    describedNs: 0n,
    quotaBytes: 0,
    name: '',
    lockMs: LIMITS.lockDefaultMs,
    softDeleteMs: LIMITS.softDeleteDefaultMs,
    deletionDueMs: null,
  };
}
