import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { CofreError } from '../errors.ts';
import {
  BLOB_NONCE_BYTES,
  BLOB_TAG_BYTES,
  blobLength,
  readBlobHeader,
  sealedOffset,
  SUITE_1,
  writeBlobHeader,
  type BlobHeader,
  type BlobType,
} from '../format/envelope/blob.ts';
import { decodePayload, encodePayload, payloadLength } from '../format/payload.ts';
import type { ChunkId } from '../ids.ts';
import { releaseMemory } from '../release-memory.ts';
import type { DomainKeys } from './domain-keys.ts';
import type { PeriodKeys } from './key-period.ts';

const CIPHER = 'aes-256-gcm';

/** What gets sealed: content (no table), or a node with the ids that it refers to. */
export interface BlobContent {
  readonly type: BlobType;
  readonly chunkId: ChunkId;
  /** Ids of 32 bytes each; empty for content. */
  readonly table: Uint8Array;
  readonly plaintext: Uint8Array;
}

/** A content that is compressed already: its sealed size is known, so that a place can be found for it. */
export interface PreparedBlob {
  readonly content: BlobContent;
  readonly payload: ReturnType<typeof encodePayload>;
  /** Whole length of the blob to be. */
  readonly lengthBytes: number;
}

/** Compresses; sealing comes next. */
export function prepareBlob(content: BlobContent): PreparedBlob {
  const payload = encodePayload(content.plaintext);
  const tableCount = content.table.length / 32;
  return { content, payload, lengthBytes: blobLength({ tableCount, sealedLength: payloadLength(payload) }) };
}

/**
 * Seals into `target` at `offset`, which has room for `prepared.lengthBytes`, with a new random nonce.
 * Random 96-bit nonces are safe here because each blob has a key of its own.
 */
export function sealBlob(
  target: Buffer,
  offset: number,
  prepared: PreparedBlob,
  domain: DomainKeys,
  period: PeriodKeys,
): void {
  const { content, payload } = prepared;
  const header: BlobHeader = {
    suite: SUITE_1,
    type: content.type,
    domainId: domain.domainId,
    keyPeriodId: period.keyPeriodId,
    chunkId: content.chunkId,
    tableCount: content.table.length / 32,
    sealedLength: payloadLength(payload),
  };
  writeBlobHeader(target, offset, header);
  let position = offset + sealedOffset(0);
  target.set(content.table, position);
  position += content.table.length;
  const nonce = randomBytes(BLOB_NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, period.blobKey(content.type, content.chunkId), nonce);
  cipher.setAAD(target.subarray(offset, position));
  for (const part of [nonce, cipher.update(payload.header), cipher.update(payload.body)]) {
    target.set(part, position);
    position += part.length;
    releaseMemory(part);
  }
  const rest = [cipher.update(Buffer.alloc(payload.paddingBytes)), cipher.final(), cipher.getAuthTag()];
  for (const part of rest) {
    target.set(part, position);
    position += part.length;
  }
}

/** Finds the keys of a period; null when there is no keyring object for it. */
export type FindPeriodKeys = (header: BlobHeader) => PeriodKeys | null;

/**
 * Opens a blob and checks that it is what its id says: GCM does not commit to its key, so the id is computed
 * anew from what came out. The result is the caller's alone, who may give it back with `releaseMemory`.
 * @throws CofreError `damaged` when anything is not as it was sealed, `wrong_key` without keys
 */
export function openBlob(blob: Buffer, domain: DomainKeys, findKeys: FindPeriodKeys): Buffer {
  const header = readBlobHeader(blob);
  const plaintext = decryptBlob(blob, header, findKeys);
  const tableEnd = sealedOffset(header.tableCount);
  const chunkId =
    header.type === 'data'
      ? domain.dataId(plaintext)
      : domain.nodeId(header.type, blob.subarray(sealedOffset(0), tableEnd), plaintext);
  if (chunkId !== header.chunkId || header.domainId !== domain.domainId) {
    throw new CofreError('damaged', { what: 'A blob', problem: 'it is not what its id says' });
  }
  return plaintext;
}

/**
 * Opens a blob that was just sealed and compares it with its source, which costs less than a second id.
 * An agent does this before it sends anything: what leaves can be restored.
 */
export function isSealedIntact(blob: Buffer, plaintext: Uint8Array, period: PeriodKeys): boolean {
  const opened = decryptBlob(blob, readBlobHeader(blob), () => period);
  const isIntact = opened.length === plaintext.length && opened.equals(plaintext);
  releaseMemory(opened);
  return isIntact;
}

function decryptBlob(blob: Buffer, header: BlobHeader, findKeys: FindPeriodKeys): Buffer {
  if (blob.length !== blobLength(header)) {
    throw new CofreError('damaged', { what: 'A blob', problem: 'its length is wrong' });
  }
  const keys = findKeys(header);
  if (keys === null) throw new CofreError('wrong_key', { what: `key period ${header.keyPeriodId}` });
  const start = sealedOffset(header.tableCount);
  const ciphertextStart = start + BLOB_NONCE_BYTES;
  const tagStart = blob.length - BLOB_TAG_BYTES;
  const nonce = blob.subarray(start, ciphertextStart);
  const decipher = createDecipheriv(CIPHER, keys.blobKey(header.type, header.chunkId), nonce);
  decipher.setAAD(blob.subarray(0, start));
  decipher.setAuthTag(blob.subarray(tagStart));
  const payload = decipher.update(blob.subarray(ciphertextStart, tagStart));
  try {
    decipher.final();
  } catch (cause) {
    throw new CofreError('damaged', { what: 'A blob', problem: 'it was changed' }, { cause });
  }
  const plaintext = decodePayload(payload);
  if (plaintext.buffer !== payload.buffer) releaseMemory(payload);
  return plaintext;
}
