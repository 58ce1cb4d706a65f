import { RecordReader, RecordWriter } from '../../encoding/record.ts';
import { writeTime } from '../../encoding/time.ts';
import { RANDOM_ID_BYTES, type DeviceId, type TenantId } from '../../ids.ts';

/**
 * Lets one device read the whole tenant for some hours. The authority key signs it, so it proves that the
 * kit is in somebody's hand; a device alone reads only its own, and the server can't make one.
 */
export interface ReadGrant {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** By the server's service time. */
  readonly expiresNs: bigint;
}

/** The payload of a signed object of kind `readGrant`. */
export function encodeReadGrant(grant: ReadGrant): Buffer {
  return new RecordWriter()
    .hex(1, true, grant.tenantId)
    .hex(2, true, grant.deviceId)
    .build(3, true, (target) => writeTime(target, grant.expiresNs))
    .take();
}

/** @throws CofreError `damaged`, `unknown_format` */
export function decodeReadGrant(payload: Uint8Array): ReadGrant {
  const record = new RecordReader(payload, 'A read grant');
  const grant: ReadGrant = {
    tenantId: record.hex(1, RANDOM_ID_BYTES),
    deviceId: record.hex(2, RANDOM_ID_BYTES),
    expiresNs: record.time(3),
  };
  record.close();
  return grant;
}
