import { RecordReader, RecordWriter } from '../../encoding/record.ts';
import { writeTime } from '../../encoding/time.ts';
import { RANDOM_ID_BYTES, type DeviceId, type DomainId, type KeyPeriodId } from '../../ids.ts';

/**
 * A keyring object: the secret of one key period, sealed with age to the tenant's recipients. The server
 * sees whose it is; `crypto/key-period.ts` says what is inside.
 */
export interface KeyringObject {
  readonly keyPeriodId: KeyPeriodId;
  readonly deviceId: DeviceId;
  readonly domainId: DomainId;
  readonly createdNs: bigint;
  /** An age file. */
  readonly sealed: Buffer;
}

/** A domain record: the secrets of deduplication, sealed in the same way (`crypto/domain-keys.ts`). */
export interface DomainObject {
  readonly domainId: DomainId;
  readonly deviceId: DeviceId;
  readonly createdNs: bigint;
  /** An age file. */
  readonly sealed: Buffer;
}

/** The payload of a signed object of kind `keyring`. */
export function encodeKeyringObject(object: KeyringObject): Buffer {
  return new RecordWriter()
    .hex(1, true, object.keyPeriodId)
    .hex(2, true, object.deviceId)
    .hex(3, true, object.domainId)
    .build(4, false, (target) => writeTime(target, object.createdNs))
    .field(5, true, object.sealed)
    .take();
}

/** What is sealed stays sealed. @throws CofreError `damaged`, `unknown_format` */
export function decodeKeyringObject(payload: Uint8Array): KeyringObject {
  const record = new RecordReader(payload, 'A keyring object');
  const object: KeyringObject = {
    keyPeriodId: record.hex(1, RANDOM_ID_BYTES),
    deviceId: record.hex(2, RANDOM_ID_BYTES),
    domainId: record.hex(3, RANDOM_ID_BYTES),
    createdNs: record.time(4),
    sealed: Buffer.from(record.required(5)),
  };
  record.close();
  return object;
}

/** The payload of a signed object of kind `domain`. */
export function encodeDomainObject(object: DomainObject): Buffer {
  return new RecordWriter()
    .hex(1, true, object.domainId)
    .hex(2, true, object.deviceId)
    .build(3, false, (target) => writeTime(target, object.createdNs))
    .field(4, true, object.sealed)
    .take();
}

/** What is sealed stays sealed. @throws CofreError `damaged`, `unknown_format` */
export function decodeDomainObject(payload: Uint8Array): DomainObject {
  const record = new RecordReader(payload, 'A domain record');
  const object: DomainObject = {
    domainId: record.hex(1, RANDOM_ID_BYTES),
    deviceId: record.hex(2, RANDOM_ID_BYTES),
    createdNs: record.time(3),
    sealed: Buffer.from(record.required(4)),
  };
  record.close();
  return object;
}
