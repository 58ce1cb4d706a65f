import { createHash, type Hash } from 'node:crypto';
import { CofreError } from '@cofre/shared/errors';
import {
  BLOB_HEADER_BYTES,
  BLOB_MAGIC,
  BLOB_TYPES,
  blobLength,
  readBlobHeader,
  sealedOffset,
  type BlobHeader,
  type BlobType,
} from '@cofre/shared/format/envelope/blob';
import {
  decodePackTail,
  PACK_HEADER,
  PACK_HEADER_BYTES,
  PACK_KINDS,
  packTailLength,
  TRAILER_MAGIC,
  type PackEntry,
  type PackKind,
} from '@cofre/shared/format/envelope/pack';
import { CHUNK_ID_BYTES, type DomainId, type KeyPeriodId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';

/** What a whole pack turned out to hold. */
export interface CheckedPack {
  readonly kind: PackKind;
  readonly hash: Buffer;
  /** Chunk ids of 32 bytes, in the order of the blobs. */
  readonly ids: Buffer;
  readonly types: Uint8Array;
  readonly lengths: Uint32Array;
  readonly tables: readonly { readonly place: number; readonly ids: Buffer }[];
  readonly keyPeriods: readonly KeyPeriodId[];
}

interface CheckedBlob {
  readonly header: BlobHeader;
  readonly length: number;
  sha256: Buffer;
}

const MAGIC_BYTES = 4;

/** Which blobs may lie in which pack. */
const TYPES_OF_KIND: Record<PackKind, ReadonlySet<BlobType>> = {
  content: new Set(['data']),
  catalog: new Set(['catalog', 'list', 'info']),
};

/**
 * Checks a pack while it streams by, in pieces of any size: everything that needs no key. Each blob is hashed once,
 * and those hashes are compared with the trailer's.
 *
 * What it keeps in memory is a piece of a header or table, and some 200 bytes for each blob.
 */
export class PackChecker {
  private readonly lengthBytes: number;
  private readonly domainId: DomainId;
  private readonly onBlob: (type: BlobType) => void;
  private readonly blobs: CheckedBlob[] = [];
  private readonly tables: { place: number; ids: Buffer }[] = [];
  private readonly keyPeriods = new Set<KeyPeriodId>();

  /** Bytes that are collected until `collected` has `wanted` of them. */
  private collected: Buffer[] = [];
  private collectedBytes = 0;
  private wanted = PACK_HEADER_BYTES;
  private part: 'header' | 'magic' | 'blob-header' | 'table' | 'sealed' | 'tail' | 'end' = 'header';
  private hash: Hash | null = null;
  private blobStart = 0;
  private offset = 0;
  private tail: Buffer | null = null;

  /**
   * @param lengthBytes how long the pack said it is
   * @param domainId whose blobs these have to be
   * @param onBlob is told of each blob's type before its content comes; what it throws refuses the pack
   */
  constructor(lengthBytes: number, domainId: DomainId, onBlob: (type: BlobType) => void = () => undefined) {
    this.lengthBytes = lengthBytes;
    this.domainId = domainId;
    this.onBlob = onBlob;
    if (lengthBytes > LIMITS.packBytesMax) {
      throw new CofreError('too_large', { what: 'A pack', limit: `${LIMITS.packBytesMax} bytes` });
    }
    if (lengthBytes < PACK_HEADER_BYTES + packTailLength(0)) refuse(`it is ${lengthBytes} bytes long`);
  }

  /** @throws CofreError `pack_invalid`, `unknown_format` */
  push(bytes: Buffer): void {
    if (this.offset + bytes.length > this.lengthBytes) refuse('it is longer than announced');
    let rest = bytes;
    while (rest.length > 0) rest = this.take(rest);
  }

  /**
   * The whole pack has been pushed.
   * @throws CofreError `pack_invalid` when it ended early, or its trailer says something else than came
   */
  finish(): CheckedPack {
    if (this.part !== 'end' || this.tail === null) refuse(`it ended after ${this.offset} bytes`);
    const trailer = asPackInvalid(() => decodePackTail(this.tail as Buffer));
    if (trailer.entries.length !== this.blobs.length) refuse('its trailer counts other blobs');
    trailer.entries.forEach((entry, place) => {
      requireAgreement(entry, this.blobs[place] as CheckedBlob, trailer.kind);
    });
    const count = this.blobs.length;
    const ids = Buffer.allocUnsafe(count * CHUNK_ID_BYTES);
    this.blobs.forEach(({ header }, place) => ids.write(header.chunkId, place * CHUNK_ID_BYTES, 'hex'));
    return {
      kind: trailer.kind,
      hash: trailer.packHash,
      ids,
      types: Uint8Array.from(this.blobs, ({ header }) => BLOB_TYPES[header.type]),
      lengths: Uint32Array.from(this.blobs, ({ length }) => length),
      tables: this.tables,
      keyPeriods: [...this.keyPeriods],
    };
  }

  /** Takes what belongs to the current part; gives what is left. */
  private take(bytes: Buffer): Buffer {
    const piece = bytes.subarray(0, this.wanted - this.collectedBytes);
    this.offset += piece.length;
    this.collectedBytes += piece.length;
    // Blobs are hashed as they come. The magic is the beginning of a header or the trailer: not known yet.
    if (this.part === 'sealed') (this.hash as Hash).update(piece);
    // Copied: the memory of what was pushed may be given back before this is looked at.
    else this.collected.push(Buffer.from(piece));
    if (this.collectedBytes === this.wanted) this.completePart();
    return bytes.subarray(piece.length);
  }

  private completePart(): void {
    const bytes = this.collected.length === 1 ? (this.collected[0] as Buffer) : Buffer.concat(this.collected);
    switch (this.part) {
      case 'header':
        if (!bytes.equals(PACK_HEADER)) refuse('it does not begin like one');
        return this.begin('magic', MAGIC_BYTES);
      case 'magic':
        return this.completeMagic(bytes);
      case 'blob-header':
        return this.completeBlobHeader(bytes);
      case 'table':
        return this.completeTable(bytes);
      case 'sealed':
        return this.completeBlob();
      case 'tail':
        this.tail = bytes;
        return this.begin('end', 1);
      case 'end':
        return refuse('something follows its end');
    }
  }

  private begin(part: typeof this.part, wanted: number): void {
    this.part = part;
    this.wanted = wanted;
    this.collected = [];
    this.collectedBytes = 0;
  }

  /** Goes on collecting behind what is there already. */
  private continueAs(part: 'blob-header' | 'tail', bytes: Buffer, wanted: number): void {
    this.part = part;
    this.wanted = wanted;
    this.collected = [bytes];
  }

  private completeMagic(bytes: Buffer): void {
    const magic = bytes.readUInt32LE(0);
    if (magic === BLOB_MAGIC) {
      if (this.blobs.length === LIMITS.packBlobsMax) refuse(`it has more than ${LIMITS.packBlobsMax} blobs`);
      this.blobStart = this.offset - MAGIC_BYTES;
      return this.continueAs('blob-header', bytes, BLOB_HEADER_BYTES);
    }
    if (magic !== TRAILER_MAGIC) refuse(`neither a blob nor the trailer is at ${this.offset - MAGIC_BYTES}`);
    const tailLength = this.lengthBytes - this.offset + MAGIC_BYTES;
    // Known before it is collected: what somebody announces does not decide about memory.
    if (tailLength !== packTailLength(this.blobs.length)) refuse('its trailer has the wrong length');
    return this.continueAs('tail', bytes, tailLength);
  }

  private completeBlobHeader(bytes: Buffer): void {
    const header = asPackInvalid(() => readBlobHeader(bytes));
    if (header.domainId !== this.domainId) refuse('a blob belongs to another domain');
    this.onBlob(header.type);
    this.keyPeriods.add(header.keyPeriodId);
    this.blobs.push({ header, length: blobLength(header), sha256: Buffer.alloc(0) });
    this.hash = createHash('sha256').update(bytes);
    if (header.tableCount > 0) return this.begin('table', header.tableCount * CHUNK_ID_BYTES);
    return this.beginSealed(header);
  }

  private completeTable(bytes: Buffer): void {
    const header = (this.blobs.at(-1) as CheckedBlob).header;
    (this.hash as Hash).update(bytes);
    this.tables.push({ place: this.blobs.length - 1, ids: Buffer.from(bytes) });
    this.beginSealed(header);
  }

  private beginSealed(header: BlobHeader): void {
    this.begin('sealed', blobLength(header) - sealedOffset(header.tableCount));
  }

  private completeBlob(): void {
    const blob = this.blobs.at(-1) as CheckedBlob;
    blob.sha256 = (this.hash as Hash).digest();
    this.hash = null;
    if (this.offset - this.blobStart !== blob.length) refuse('a blob has the wrong length');
    this.begin('magic', MAGIC_BYTES);
  }
}

function requireAgreement(entry: PackEntry, blob: CheckedBlob, kind: PackKind): void {
  const agrees =
    entry.chunkId === blob.header.chunkId &&
    entry.type === blob.header.type &&
    entry.length === blob.length &&
    entry.sha256.equals(blob.sha256);
  if (!agrees) refuse(`its trailer says something else about blob ${entry.chunkId} than what came`);
  if (!TYPES_OF_KIND[kind].has(entry.type)) refuse(`a blob of type ${entry.type} in a pack for ${kind}`);
}

/** `damaged` is said of what is kept; what arrives is refused. */
function asPackInvalid<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CofreError) || error.code !== 'damaged') throw error;
    throw new CofreError('pack_invalid', { problem: error.message }, { cause: error });
  }
}

function refuse(problem: string): never {
  throw new CofreError('pack_invalid', { problem });
}

/** How a kind of pack stands in the index. */
export function packKindCode(kind: PackKind): number {
  return PACK_KINDS[kind];
}
