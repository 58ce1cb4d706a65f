import { createCipheriv } from 'node:crypto';
import type { DomainKeys } from '@cofre/shared/crypto/domain-keys';
import type { PeriodKeys } from '@cofre/shared/crypto/key-period';
import { SUITE_1, writeBlobHeader, type BlobHeader, type BlobType } from '@cofre/shared/format/envelope/blob';
import { padmeLength } from '@cofre/shared/format/payload';
import type { ChunkId } from '@cofre/shared/ids';

export interface CraftedBlob {
  readonly type: BlobType;
  readonly domain: DomainKeys;
  readonly period: PeriodKeys;
  readonly nonce: Buffer;
  /** The inside; {@link craftPayload} makes one. */
  readonly payload: Buffer;
  readonly chunkId: ChunkId;
  readonly table?: Buffer;
  /** What the header says instead of the truth. */
  readonly header?: Partial<BlobHeader>;
}

/** A payload with its header and padding, of any codec. */
export function craftPayload(raw: { readonly length: number }, body: Uint8Array, codec: 0 | 1): Buffer {
  const header = Buffer.alloc(9);
  header[0] = codec;
  header.writeUInt32LE(raw.length, 1);
  header.writeUInt32LE(body.length, 5);
  const length = header.length + body.length;
  return Buffer.concat([header, body, Buffer.alloc(padmeLength(length) - length)]);
}

/** Seals what it is given with a nonce of one's choice, right or wrong: for vectors, and for blobs that must be refused. */
export function craftBlob(crafted: CraftedBlob): Buffer {
  const { type, domain, period, nonce, payload, chunkId, table = Buffer.alloc(0) } = crafted;
  const authenticated = Buffer.alloc(80 + table.length);
  writeBlobHeader(authenticated, 0, {
    suite: SUITE_1,
    type,
    domainId: domain.domainId,
    keyPeriodId: period.keyPeriodId,
    chunkId,
    tableCount: table.length / 32,
    sealedLength: payload.length,
    ...crafted.header,
  });
  table.copy(authenticated, 80);
  const cipher = createCipheriv('aes-256-gcm', period.blobKey(type, chunkId), nonce);
  cipher.setAAD(authenticated);
  const ciphertext = Buffer.concat([cipher.update(payload), cipher.final()]);
  return Buffer.concat([authenticated, nonce, ciphertext, cipher.getAuthTag()]);
}

/** The id of what a blob of this type holds. */
export function chunkIdOf(
  domain: DomainKeys,
  type: BlobType,
  plaintext: Uint8Array,
  table: Uint8Array = Buffer.alloc(0),
): ChunkId {
  return type === 'data' ? domain.dataId(plaintext) : domain.nodeId(type, table, plaintext);
}
