import { CofreError } from '../../errors.ts';
import { CHUNK_ID_BYTES, RANDOM_ID_BYTES, type ChunkId, type DomainId, type KeyPeriodId } from '../../ids.ts';
import { LIMITS } from '../../limits.ts';

/**
 * The outside of a blob, which the server reads; the inside is sealed.
 *
 *     0   magic "CfB1"
 *     4   suite u8, type u8, flags u16 (0)
 *     8   table count u32, sealed length u32 (ciphertext, without nonce and tag)
 *     16  domain id 16
 *     32  key period id 16
 *     48  chunk id 32
 *     80  table: chunk ids that the content refers to, 32 bytes each
 *         nonce 12 ‖ ciphertext ‖ tag 16
 *
 * All up to the nonce is additional authenticated data. Where the blob lies is not, so that the server can
 * move it into another pack without a key.
 */
export interface BlobHeader {
  readonly suite: number;
  readonly type: BlobType;
  readonly domainId: DomainId;
  readonly keyPeriodId: KeyPeriodId;
  readonly chunkId: ChunkId;
  readonly tableCount: number;
  readonly sealedLength: number;
}

export const BLOB_MAGIC = 0x31426643; // "CfB1"
export const BLOB_HEADER_BYTES = 80;
export const BLOB_NONCE_BYTES = 12;
export const BLOB_TAG_BYTES = 16;
/** HMAC-SHA-256 ids and keys, AES-256-GCM, zstd. */
export const SUITE_1 = 1;

/** `data` is content; the others are made of the catalog and have a table. */
export const BLOB_TYPES = { data: 1, catalog: 2, list: 3, info: 4 } as const;
export type BlobType = keyof typeof BLOB_TYPES;

const TYPE_NAMES = new Map<number, BlobType>(
  Object.entries(BLOB_TYPES).map(([name, code]) => [code, name as BlobType]),
);

/** Whole length of a blob in bytes. */
export function blobLength(header: Pick<BlobHeader, 'tableCount' | 'sealedLength'>): number {
  return sealedOffset(header.tableCount) + BLOB_NONCE_BYTES + header.sealedLength + BLOB_TAG_BYTES;
}

/** Where the nonce begins: the length of the authenticated part. */
export function sealedOffset(tableCount: number): number {
  return BLOB_HEADER_BYTES + tableCount * CHUNK_ID_BYTES;
}

/** Writes the 80 bytes of a header at `offset`; the table has to follow. */
export function writeBlobHeader(target: Buffer, offset: number, header: BlobHeader): void {
  target.writeUInt32LE(BLOB_MAGIC, offset);
  target[offset + 4] = header.suite;
  target[offset + 5] = BLOB_TYPES[header.type];
  target.writeUInt16LE(0, offset + 6);
  target.writeUInt32LE(header.tableCount, offset + 8);
  target.writeUInt32LE(header.sealedLength, offset + 12);
  target.write(header.domainId, offset + 16, RANDOM_ID_BYTES, 'hex');
  target.write(header.keyPeriodId, offset + 32, RANDOM_ID_BYTES, 'hex');
  target.write(header.chunkId, offset + 48, CHUNK_ID_BYTES, 'hex');
}

/**
 * Reads and checks a header; `source` must hold its 80 bytes from `offset`.
 * @throws CofreError `damaged`, or `unknown_format` for a suite, type or flag of a later version
 */
export function readBlobHeader(source: Buffer, offset = 0): BlobHeader {
  if (source.length - offset < BLOB_HEADER_BYTES) refuse('it ends too early');
  if (source.readUInt32LE(offset) !== BLOB_MAGIC) refuse('it does not begin like one');
  const suite = source[offset + 4] as number;
  const type = TYPE_NAMES.get(source[offset + 5] as number);
  const flags = source.readUInt16LE(offset + 6);
  if (suite !== SUITE_1 || type === undefined || flags !== 0) {
    throw new CofreError('unknown_format', {
      what: 'A blob',
      problem: `suite ${suite}, type ${source[offset + 5]}, flags ${flags}`,
    });
  }
  const tableCount = source.readUInt32LE(offset + 8);
  const sealedLength = source.readUInt32LE(offset + 12);
  if (tableCount > LIMITS.nodeTableIdsMax) refuse(`a table of ${tableCount} ids`);
  if (type === 'data' && tableCount !== 0) refuse('content with a table');
  if (sealedLength > LIMITS.blobSealedBytesMax) refuse(`${sealedLength} sealed bytes`);
  return {
    suite,
    type,
    tableCount,
    sealedLength,
    domainId: source.toString('hex', offset + 16, offset + 32) as DomainId,
    keyPeriodId: source.toString('hex', offset + 32, offset + 48) as KeyPeriodId,
    chunkId: source.toString('hex', offset + 48, offset + 80) as ChunkId,
  };
}

/** The ids that a blob refers to; `source` must hold header and table from `offset`. */
export function readBlobTable(source: Buffer, header: BlobHeader, offset = 0): ChunkId[] {
  if (source.length - offset < sealedOffset(header.tableCount)) refuse('its table ends too early');
  const ids: ChunkId[] = [];
  for (let index = 0; index < header.tableCount; index++) {
    const start = offset + sealedOffset(index);
    ids.push(source.toString('hex', start, start + CHUNK_ID_BYTES) as ChunkId);
  }
  return ids;
}

function refuse(problem: string): never {
  throw new CofreError('damaged', { what: 'A blob', problem });
}
