import { randomBytes } from 'node:crypto';
import { RecordReader, RecordWriter } from '../encoding/record.ts';
import { BLOB_TYPES, type BlobType } from '../format/envelope/blob.ts';
import { deriveKey, hmacSha256 } from '../hash.ts';
import {
  newRandomId,
  RANDOM_ID_BYTES,
  type ChunkId,
  type DeviceId,
  type DomainId,
  type KeyPeriodId,
} from '../ids.ts';

const SECRET_BYTES = 32;

/**
 * The life of one device's data key: a session, a day at most. The secret lives in memory only and is
 * sealed once to the recipients, so that whoever steals the device reads nothing that it sent before.
 */
export interface KeyPeriod {
  readonly keyPeriodId: KeyPeriodId;
  readonly deviceId: DeviceId;
  readonly domainId: DomainId;
  /** 32 bytes. */
  readonly secret: Buffer;
}

/** Opens and seals the blobs of one period. */
export interface PeriodKeys {
  readonly keyPeriodId: KeyPeriodId;
  /** AES-256 key of one blob: HMAC-SHA-256(period key, type ‖ chunk id). */
  blobKey(type: BlobType, chunkId: ChunkId): Buffer;
}

/** A new period with a random id and secret. */
export function newKeyPeriod(deviceId: DeviceId, domainId: DomainId): KeyPeriod {
  return { keyPeriodId: newRandomId<KeyPeriodId>(), deviceId, domainId, secret: randomBytes(SECRET_BYTES) };
}

/** Content and catalog have keys of their own: names can be shown to whom content can't. */
export function periodKeys(period: Pick<KeyPeriod, 'keyPeriodId' | 'secret'>): PeriodKeys {
  const contentKey = deriveKey(period.secret, 'cofre 1 content');
  const catalogKey = deriveKey(period.secret, 'cofre 1 catalog');
  return {
    keyPeriodId: period.keyPeriodId,
    blobKey: (type, chunkId) => {
      const message = Buffer.alloc(33);
      message[0] = BLOB_TYPES[type];
      message.write(chunkId, 1, 'hex');
      return hmacSha256(type === 'data' ? contentKey : catalogKey, message);
    },
  };
}

/** The plaintext of a keyring object. It names whose it is, so that sealed secrets can't be exchanged. */
export function encodeKeyPeriod(period: KeyPeriod): Buffer {
  return new RecordWriter()
    .hex(1, true, period.keyPeriodId)
    .hex(2, true, period.deviceId)
    .hex(3, true, period.domainId)
    .field(4, true, period.secret)
    .take();
}

/** @throws CofreError `damaged`, `unknown_format` */
export function decodeKeyPeriod(plaintext: Uint8Array): KeyPeriod {
  const record = new RecordReader(plaintext, 'A key period');
  const period: KeyPeriod = {
    keyPeriodId: record.hex(1, RANDOM_ID_BYTES),
    deviceId: record.hex(2, RANDOM_ID_BYTES),
    domainId: record.hex(3, RANDOM_ID_BYTES),
    secret: record.bytes(4, SECRET_BYTES),
  };
  record.close();
  return period;
}
