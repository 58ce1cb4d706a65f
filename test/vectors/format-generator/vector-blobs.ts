import { BLOB_TYPES, type BlobType } from '@cofre/shared/format/envelope/blob';
import { encodePackTail, PACK_HEADER, type PackKind } from '@cofre/shared/format/envelope/pack';
import { sha256 } from '@cofre/shared/hash';
import type { ChunkId } from '@cofre/shared/ids';
import { chunkIdOf, craftBlob, craftPayload } from '../../builders/craft-blob.ts';
import { sampleChunkId } from '../../builders/format-samples.ts';
import { domain, period } from './vector-keys.ts';

/** A blob and everything that went into it. */
export interface BlobVector {
  readonly about: string;
  readonly type: BlobType;
  readonly chunkId: ChunkId;
  readonly table: readonly ChunkId[];
  readonly plaintext: Buffer;
  readonly nonce: Buffer;
  /** What was encrypted: header, payload and padding. */
  readonly payload: Buffer;
  readonly blob: Buffer;
}

interface BlobTask {
  readonly about: string;
  readonly type: BlobType;
  readonly plaintext: Buffer;
  readonly table?: Buffer;
  /** A zstd frame of the plaintext. Other versions of zstd make others, so it is given. */
  readonly frame?: Buffer;
}

/** Seals with a nonce that follows from what the blob is about. */
export function sealVector({ about, type, plaintext, table = Buffer.alloc(0), frame }: BlobTask): BlobVector {
  const nonce = sha256(Buffer.from(`nonce of ${about}`)).subarray(0, 12);
  const payload =
    frame === undefined ? craftPayload(plaintext, plaintext, 0) : craftPayload(plaintext, frame, 1);
  const chunkId = chunkIdOf(domain, type, plaintext, table);
  return {
    about,
    type,
    chunkId,
    table: (table.toString('hex').match(/.{64}/g) ?? []) as ChunkId[],
    plaintext,
    nonce,
    payload,
    blob: craftBlob({ type, domain, period, nonce, payload, chunkId, table }),
  };
}

const TABLE = Buffer.from(sampleChunkId(1) + sampleChunkId(2), 'hex');
const REPEATED = Buffer.from('a'.repeat(100));
/** A frame of {@link REPEATED}. */
const REPEATED_FRAME = Buffer.from('28b52ffd206445000010616101003f012c', 'hex');

/** A blob of each type, small and with what is special about it. */
export function makeBlobVectors(): BlobVector[] {
  const nodes = (Object.keys(BLOB_TYPES) as BlobType[]).filter((type) => type !== 'data');
  return [
    sealVector({ about: 'content', type: 'data', plaintext: Buffer.from('Hola, Cofre.\n') }),
    sealVector({ about: 'no content', type: 'data', plaintext: Buffer.alloc(0) }),
    sealVector({ about: 'compressed content', type: 'data', plaintext: REPEATED, frame: REPEATED_FRAME }),
    ...nodes.map((type) => {
      const table = type === 'info' ? Buffer.alloc(0) : TABLE;
      return sealVector({
        about: `${type} that is not one`,
        type,
        table,
        plaintext: Buffer.from(`inside ${type}`),
      });
    }),
  ];
}

/** A whole pack of these blobs. */
export function packOf(kind: PackKind, blobs: readonly BlobVector[]): Buffer {
  const entries = blobs.map(({ chunkId, type, blob }) => {
    return { chunkId, type, length: blob.length, sha256: sha256(blob) };
  });
  return Buffer.concat([
    PACK_HEADER,
    ...blobs.map(({ blob }) => blob),
    encodePackTail({ kind, entries }).tail,
  ]);
}
