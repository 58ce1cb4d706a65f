import { open, type FileHandle } from 'node:fs/promises';
import { CofreError } from '@cofre/shared/errors';
import {
  BLOB_HEADER_BYTES,
  BLOB_TYPES,
  blobLength,
  readBlobHeader,
  type BlobHeader,
} from '@cofre/shared/format/envelope/blob';
import {
  decodePackTail,
  PACK_END_BYTES,
  PACK_ENTRY_BYTES,
  PACK_HEADER,
  PACK_HEADER_BYTES,
  packTailLength,
  packTailLengthFromEnd,
  TRAILER_FIXED_BYTES,
  type PackEntry,
} from '@cofre/shared/format/envelope/pack';
import { isNotThere, isUnreadable } from '../../platform/storage-failure.ts';
import type { PackRow } from '../index/verify.store.ts';
import { BlobHashes } from './blob-hashes.ts';
import { readPieces, readWithZeros } from './file-pieces.ts';
import { provePack } from './pack-proof.ts';

/** A blob where it lies in its pack, and whether its bytes are those that were received. */
export interface InspectedBlob extends PackEntry {
  readonly offset: number;
  readonly isIntact: boolean;
}

/** What a pack's file is worth, by its own hashes and the one that the index has. */
export type PackInspection =
  | { readonly status: 'missing' }
  /** Neither trailer nor blobs give the pack's hash: nothing of it can be proven. */
  | { readonly status: 'unproven'; readonly problem: string }
  | {
      readonly status: 'proven';
      readonly blobs: readonly InspectedBlob[];
      /** What is wrong outside of the blobs; null when nothing is. */
      readonly wrapping: string | null;
    };

const READ_BYTES = 256 * 1024;
const ENTRY_HASH_BYTES = 32;

/** Entries that are known to be right, or a trailer that has to be proven by the blobs. */
interface KnownTrailer {
  readonly entries: readonly PackEntry[];
  readonly wrapping: string | null;
}

/** Reads packs whole, in bounded pieces, and says what they are worth. It changes nothing, and needs no rows of chunks. */
export class PackInspector {
  private readonly onProgress: (bytes: number) => void;
  private readonly buffer = Buffer.allocUnsafeSlow(READ_BYTES);

  /** @param onProgress gets bytes as they are read; when it throws, the inspection ends */
  constructor(onProgress: (bytes: number) => void) {
    this.onProgress = onProgress;
  }

  async inspect(path: string, pack: PackRow): Promise<PackInspection> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if (isNotThere(error)) return { status: 'missing' };
      if (isUnreadable(error)) return { status: 'unproven', problem: 'it cannot be opened' };
      throw error;
    }
    try {
      return await this.inspectFile(file, pack);
    } catch (error) {
      if (isUnreadable(error)) return { status: 'unproven', problem: 'it cannot be read' };
      throw error;
    } finally {
      await file.close();
    }
  }

  private async inspectFile(file: FileHandle, pack: PackRow): Promise<PackInspection> {
    const { size } = await file.stat();
    const header = await readWithZeros(file, 0, PACK_HEADER_BYTES);
    const known = (await readOwnTail(file, pack)) ?? (await readTailFromEnd(file, size));
    const wrapping = [
      size === pack.length ? null : `it is ${size} bytes long instead of ${pack.length}`,
      header.equals(PACK_HEADER) ? null : 'its header is altered',
    ];
    if (known === null) return await this.rebuild(file, pack, wrapping);
    const hashes = await this.hashBlobs(
      file,
      known.entries.map(({ length }) => length),
    );
    return proven(known.entries, hashes, [...wrapping, known.wrapping]);
  }

  /** Puts the entries together again from what the blobs say and hash to. */
  private async rebuild(
    file: FileHandle,
    pack: PackRow,
    wrapping: readonly (string | null)[],
  ): Promise<PackInspection> {
    const fromTrailer = entriesOf(await readTailAt(file, pack));
    const lengths = (await lengthsOf(file, pack, fromTrailer)) ?? [];
    const hashes = await this.hashBlobs(file, lengths);
    const fromBlobs = await entriesOfBlobs(file, lengths, hashes);
    const found = lengths.length === pack.blobs ? provePack(pack, fromTrailer, fromBlobs) : null;
    if (found === null) return { status: 'unproven', problem: 'neither its trailer nor its blobs are whole' };
    return proven(found.entries, hashes, [...wrapping, 'its trailer is altered']);
  }

  /** SHA-256 of each blob from the first on; null for what can't be read. */
  private async hashBlobs(file: FileHandle, lengths: readonly number[]): Promise<(Buffer | null)[]> {
    const hashes = new BlobHashes(lengths);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    for await (const piece of readPieces(file, this.buffer, PACK_HEADER_BYTES, total)) {
      hashes.add(piece);
      this.onProgress(piece.length);
    }
    return hashes.hashes;
  }
}

function proven(
  entries: readonly PackEntry[],
  hashes: readonly (Buffer | null)[],
  wrapping: readonly (string | null)[],
): PackInspection {
  let offset = PACK_HEADER_BYTES;
  const blobs = entries.map((entry, place) => {
    const blob = { ...entry, offset, isIntact: hashes[place]?.equals(entry.sha256) === true };
    offset += entry.length;
    return blob;
  });
  return { status: 'proven', blobs, wrapping: wrapping.find((problem) => problem !== null) ?? null };
}

async function readTailAt(file: FileHandle, pack: PackRow): Promise<Buffer> {
  const length = packTailLength(pack.blobs);
  return await readWithZeros(file, pack.length - length, length);
}

/** The tail where it has to be by the row, when the pack's hash says that its entries are right. */
async function readOwnTail(file: FileHandle, pack: PackRow): Promise<KnownTrailer | null> {
  const tail = await readTailAt(file, pack);
  const whole = provePack(pack, entriesOf(tail), []);
  if (whole === null) return null;
  return { entries: whole.entries, wrapping: whole.tail.equals(tail) ? null : 'its end is altered' };
}

/** The tail that the file ends with, when it is right by its own hash and fits the file: then the row is not. */
async function readTailFromEnd(file: FileHandle, size: number): Promise<KnownTrailer | null> {
  try {
    const end = await readWithZeros(file, size - PACK_END_BYTES, PACK_END_BYTES);
    const length = packTailLengthFromEnd(end);
    if (length > size - PACK_HEADER_BYTES) return null;
    const { entries } = decodePackTail(await readWithZeros(file, size - length, length));
    const blobsBytes = entries.reduce((sum, entry) => sum + entry.length, 0);
    if (blobsBytes !== size - PACK_HEADER_BYTES - length) return null;
    return { entries, wrapping: 'the index has another hash of it' };
  } catch (error) {
    if (error instanceof CofreError) return null;
    throw error;
  }
}

function entriesOf(tail: Buffer): Buffer {
  return tail.subarray(TRAILER_FIXED_BYTES, tail.length - PACK_END_BYTES - ENTRY_HASH_BYTES);
}

/** The lengths of the blobs by the trailer, when they fill the pack, or else by the blobs themselves; null if neither. */
async function lengthsOf(file: FileHandle, pack: PackRow, fromTrailer: Buffer): Promise<number[] | null> {
  const wanted = pack.length - PACK_HEADER_BYTES - packTailLength(pack.blobs);
  const lengths: number[] = [];
  for (let offset = 33; offset < fromTrailer.length; offset += PACK_ENTRY_BYTES) {
    lengths.push(fromTrailer.readUInt32LE(offset));
  }
  if (lengths.reduce((sum, length) => sum + length, 0) === wanted) return lengths;
  const walked: number[] = [];
  for (let done = 0; done < wanted;) {
    const header = await readHeaderAt(file, PACK_HEADER_BYTES + done);
    if (header === null) return null;
    walked.push(blobLength(header));
    done += blobLength(header);
    if (done > wanted) return null;
  }
  return walked;
}

async function readHeaderAt(file: FileHandle, offset: number): Promise<BlobHeader | null> {
  try {
    return readBlobHeader(await readWithZeros(file, offset, BLOB_HEADER_BYTES));
  } catch (error) {
    if (error instanceof CofreError) return null;
    throw error;
  }
}

/** What the blobs give for the trailer: ids, types and lengths by their headers, and their hashes. */
async function entriesOfBlobs(
  file: FileHandle,
  lengths: readonly number[],
  hashes: readonly (Buffer | null)[],
): Promise<(Buffer | null)[]> {
  const entries: (Buffer | null)[] = [];
  let offset = PACK_HEADER_BYTES;
  for (const [place, length] of lengths.entries()) {
    const header = await readHeaderAt(file, offset);
    const hash = hashes[place] ?? null;
    const isBlob = header !== null && hash !== null && blobLength(header) === length;
    entries.push(isBlob ? encodeEntry(header, length, hash) : null);
    offset += length;
  }
  return entries;
}

function encodeEntry(header: BlobHeader, length: number, hash: Buffer): Buffer {
  const entry = Buffer.alloc(PACK_ENTRY_BYTES);
  entry.write(header.chunkId, 0, 'hex');
  entry.writeUInt8(BLOB_TYPES[header.type], 32);
  entry.writeUInt32LE(length, 33);
  hash.copy(entry, 37);
  return entry;
}
