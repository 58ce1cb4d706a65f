import { open, type FileHandle } from 'node:fs/promises';
import { CofreError } from '@cofre/shared/errors';
import {
  BLOB_HEADER_BYTES,
  BLOB_TYPES,
  blobLength,
  readBlobHeader,
  sealedOffset,
  type BlobHeader,
} from '@cofre/shared/format/envelope/blob';
import {
  decodePackTail,
  PACK_END_BYTES,
  PACK_HEADER,
  PACK_HEADER_BYTES,
  PACK_KINDS,
  packTailLengthFromEnd,
  type PackEntry,
  type PackTrailer,
} from '@cofre/shared/format/envelope/pack';
import { sha256 } from '@cofre/shared/hash';
import { LIMITS } from '@cofre/shared/limits';
import { isUnreadable, systemErrorCode } from '../../platform/storage-failure.ts';

/** A blob of a pack as it was found, with what its header says beyond the trailer. */
export interface PackBlob {
  readonly header: BlobHeader;
  readonly offset: number;
  readonly length: number;
  readonly type: number;
  readonly table: Buffer | null;
}

export interface PackContent {
  readonly kind: number;
  readonly length: number;
  readonly hash: Buffer;
  readonly blobs: number;
  readonly modifiedMs: number;
  readonly found: readonly PackBlob[];
  /** Blobs whose bytes are not what the trailer says. */
  readonly damaged: readonly PackEntry[];
}

/**
 * Reads what a pack says about itself: its trailer, and the header of each blob. Nodes are read whole and compared with
 * their hashes, because their tables decide what a snapshot needs; content only with `readsAll`. What is not looked at
 * here the next scrub looks at.
 *
 * @param onBytes gets bytes as they are read
 * @throws CofreError `damaged` when the pack can't be understood as a whole
 */
export async function readStorePack(
  path: string,
  { readsAll, onBytes }: { readsAll: boolean; onBytes: (bytes: number) => void },
): Promise<PackContent> {
  const file = await open(path, 'r');
  const reader = new PackReader(file, readsAll, onBytes);
  try {
    return await reader.read();
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    throw new CofreError(
      'damaged',
      { what: 'A pack', problem: `${systemErrorCode(error)}` },
      { cause: error },
    );
  } finally {
    await file.close();
  }
}

/** What one small read brings: a disk takes as long for less. */
const WINDOW_BYTES = 16 * 1024;

class PackReader {
  private readonly file: FileHandle;
  private readonly readsAll: boolean;
  private readonly onBytes: (bytes: number) => void;
  private size = 0;
  private window: Buffer = Buffer.alloc(0);
  private windowStart = 0;

  constructor(file: FileHandle, readsAll: boolean, onBytes: (bytes: number) => void) {
    this.file = file;
    this.readsAll = readsAll;
    this.onBytes = onBytes;
  }

  async read(): Promise<PackContent> {
    const { size, mtimeMs } = await this.file.stat();
    this.size = size;
    const trailer = await this.readTrailer(size);
    const found: PackBlob[] = [];
    const damaged: PackEntry[] = [];
    let offset = PACK_HEADER_BYTES;
    for (const entry of trailer.entries) {
      const blob = await this.readBlob(entry, offset);
      if (blob === null) damaged.push(entry);
      else found.push(blob);
      offset += entry.length;
    }
    return {
      kind: PACK_KINDS[trailer.kind],
      length: size,
      hash: trailer.packHash,
      blobs: trailer.entries.length,
      modifiedMs: Math.floor(mtimeMs),
      found,
      damaged,
    };
  }

  private async readTrailer(size: number): Promise<PackTrailer & { readonly packHash: Buffer }> {
    if (size < PACK_HEADER_BYTES + PACK_END_BYTES || size > LIMITS.packBytesMax)
      refuse(`it is ${size} bytes long`);
    const tailLength = packTailLengthFromEnd(await this.readAt(size - PACK_END_BYTES, PACK_END_BYTES));
    if (tailLength > size - PACK_HEADER_BYTES) refuse('the trailer is longer than the pack');
    const trailer = decodePackTail(await this.readAt(size - tailLength, tailLength));
    if (!(await this.readAt(0, PACK_HEADER_BYTES)).equals(PACK_HEADER)) refuse('it does not begin like one');
    const blobBytes = trailer.entries.reduce((sum, { length }) => sum + length, 0);
    if (PACK_HEADER_BYTES + blobBytes + tailLength !== size) refuse('the blobs do not fill the pack');
    return trailer;
  }

  /** Null when it is not what the trailer says. */
  private async readBlob(entry: PackEntry, offset: number): Promise<PackBlob | null> {
    const isWhole = this.readsAll || entry.type !== 'data';
    if (entry.length < BLOB_HEADER_BYTES) return null;
    const bytes = await this.readOrNull(offset, isWhole ? entry.length : BLOB_HEADER_BYTES);
    if (bytes === null || (isWhole && !sha256(bytes).equals(entry.sha256))) return null;
    const header = headerOrNull(bytes);
    const agrees =
      header?.chunkId === entry.chunkId && header.type === entry.type && blobLength(header) === entry.length;
    if (header === null || !agrees) return null;
    const hasTable = isWhole && header.tableCount > 0;
    const table = hasTable
      ? Buffer.from(bytes.subarray(BLOB_HEADER_BYTES, sealedOffset(header.tableCount)))
      : null;
    return { header, offset, length: entry.length, type: BLOB_TYPES[entry.type], table };
  }

  /** A bad place of the disk costs what lies on it, not the pack. */
  private async readOrNull(offset: number, length: number): Promise<Buffer | null> {
    try {
      return length > WINDOW_BYTES ? await this.readAt(offset, length) : await this.readNear(offset, length);
    } catch (error) {
      if (isUnreadable(error)) return null;
      throw error;
    }
  }

  /** Small blobs lie side by side: what one of them brought is there for the next. */
  private async readNear(offset: number, length: number): Promise<Buffer> {
    const isInside = offset >= this.windowStart && offset + length <= this.windowStart + this.window.length;
    if (!isInside) {
      this.window = await this.readAt(offset, Math.min(WINDOW_BYTES, this.size - offset));
      this.windowStart = offset;
    }
    const start = offset - this.windowStart;
    return this.window.subarray(start, start + length);
  }

  private async readAt(offset: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.file.read(buffer, done, length - done, offset + done);
      if (bytesRead === 0) refuse('it ends too early');
      done += bytesRead;
    }
    this.onBytes(length);
    return buffer;
  }
}

function headerOrNull(bytes: Buffer): BlobHeader | null {
  try {
    return readBlobHeader(bytes);
  } catch (error) {
    if (error instanceof CofreError) return null;
    throw error;
  }
}

function refuse(problem: string): never {
  throw new CofreError('damaged', { what: 'A pack', problem });
}
