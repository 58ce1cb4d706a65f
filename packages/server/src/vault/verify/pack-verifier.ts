import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { CofreError } from '@cofre/shared/errors';
import { BLOB_TYPES } from '@cofre/shared/format/envelope/blob';
import {
  decodePackTail,
  PACK_END_BYTES,
  PACK_HEADER_BYTES,
  packTailLengthFromEnd,
  type PackEntry,
} from '@cofre/shared/format/envelope/pack';
import { isNotThere, isUnreadable, systemErrorCode } from '../../platform/storage-failure.ts';
import type { PackChunk, PackRow } from '../index/verify.store.ts';

/** What is wrong with a pack; `offset` names a single blob, null the whole pack. */
export interface PackProblem {
  readonly code:
    'pack_missing' | 'pack_damaged' | 'chunk_unreadable' | 'row_without_blob' | 'pack_miscounted';
  readonly detail: string;
  readonly offset: number | null;
}

interface PlacedEntry extends PackEntry {
  readonly offset: number;
}

const READ_BYTES = 256 * 1024;

/** Reads packs whole and compares them with their own hashes and with their rows. */
export class PackVerifier {
  private readonly onProgress: (bytes: number) => void;
  private readonly buffer = Buffer.allocUnsafe(READ_BYTES);

  /** @param onProgress gets bytes as they are read */
  constructor(onProgress: (bytes: number) => void) {
    this.onProgress = onProgress;
  }

  /** @param chunks the rows that point into this pack */
  async *verify(path: string, pack: PackRow, chunks: AsyncIterable<PackChunk>): AsyncGenerator<PackProblem> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if (!isNotThere(error)) throw error;
      yield { code: 'pack_missing', detail: `pack ${pack.number} is not there`, offset: null };
      return;
    }
    try {
      yield* this.verifyFile(file, pack, chunks);
    } catch (error) {
      const detail = unreadableBecause(error);
      if (detail === null) throw error;
      yield { code: 'pack_damaged', detail: `pack ${pack.number}: ${detail}`, offset: null };
    } finally {
      await file.close();
    }
  }

  private async *verifyFile(
    file: FileHandle,
    pack: PackRow,
    chunks: AsyncIterable<PackChunk>,
  ): AsyncGenerator<PackProblem> {
    const entries = await readEntries(file, pack);
    const byOffset = new Map(entries.map((entry) => [entry.offset, entry]));
    yield* compareRows(pack, byOffset, chunks);
    for (const entry of entries) {
      const found = await this.hashRange(file, entry.offset, entry.length);
      if (found.equals(entry.sha256)) continue;
      const detail = `pack ${pack.number}: the bytes of chunk ${entry.chunkId} are altered`;
      yield { code: 'chunk_unreadable', detail, offset: entry.offset };
    }
  }

  private async hashRange(file: FileHandle, offset: number, length: number): Promise<Buffer> {
    const hash = createHash('sha256');
    let done = 0;
    while (done < length) {
      const wanted = Math.min(READ_BYTES, length - done);
      const { bytesRead } = await file.read(this.buffer, 0, wanted, offset + done);
      if (bytesRead === 0) break;
      hash.update(this.buffer.subarray(0, bytesRead));
      done += bytesRead;
      this.onProgress(bytesRead);
    }
    return hash.digest();
  }
}

/** The trailer's entries with their places, when the trailer is the one that was received. */
async function readEntries(file: FileHandle, pack: PackRow): Promise<PlacedEntry[]> {
  const { size } = await file.stat();
  if (size !== pack.length) refuse(`${size} bytes long instead of ${pack.length}`);
  const tailLength = packTailLengthFromEnd(await readExactly(file, size - PACK_END_BYTES, PACK_END_BYTES));
  if (tailLength > size - PACK_HEADER_BYTES) refuse('the trailer is longer than the pack');
  const tail = decodePackTail(await readExactly(file, size - tailLength, tailLength));
  if (!tail.packHash.equals(pack.hash)) refuse('the trailer is of another pack');
  let offset = PACK_HEADER_BYTES;
  const entries = tail.entries.map((entry) => {
    const placed = { ...entry, offset };
    offset += entry.length;
    return placed;
  });
  if (offset !== size - tailLength) refuse('the blobs do not fill the pack');
  return entries;
}

async function* compareRows(
  pack: PackRow,
  byOffset: ReadonlyMap<number, PlacedEntry>,
  chunks: AsyncIterable<PackChunk>,
): AsyncGenerator<PackProblem> {
  let liveBytes = 0;
  for await (const chunk of chunks) {
    const chunkId = Buffer.from(chunk.chunkId).toString('hex');
    const entry = byOffset.get(chunk.offset);
    liveBytes += chunk.length;
    const agrees =
      entry?.chunkId === chunkId && entry.length === chunk.length && BLOB_TYPES[entry.type] === chunk.type;
    if (agrees) continue;
    const detail = `pack ${pack.number} does not hold chunk ${chunkId} where its row says`;
    yield { code: 'row_without_blob', detail, offset: chunk.offset };
  }
  const allBytes = [...byOffset.values()].reduce((sum, { length }) => sum + length, 0);
  if (byOffset.size !== pack.blobs || liveBytes + pack.deadBytes !== allBytes) {
    const detail = `pack ${pack.number} counts ${pack.deadBytes} dead bytes instead of ${allBytes - liveBytes}`;
    yield { code: 'pack_miscounted', detail, offset: null };
  }
}

async function readExactly(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  if (bytesRead < length) refuse('it ends too early');
  return buffer;
}

/** Why a pack can't be read, when it is the pack's own fault or its disk's; null for anything else. */
function unreadableBecause(error: unknown): string | null {
  if (error instanceof CofreError) return error.message;
  return isUnreadable(error) ? systemErrorCode(error) : null;
}

function refuse(problem: string): never {
  throw new CofreError('damaged', { what: 'A pack', problem });
}
