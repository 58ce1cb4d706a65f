import type { FileHandle } from 'node:fs/promises';
import { isUnreadable } from '../../platform/storage-failure.ts';

/** What a read that failed is taken apart into: a bad place of a disk costs the blobs on it, not its neighbours. */
const PAGE_BYTES = 4096;

/** A piece of a file in its order: its bytes, or null where they can't be read or the file has ended. */
export interface FilePiece {
  readonly bytes: Buffer | null;
  readonly length: number;
}

/**
 * Reads `length` bytes from `offset`, a buffer at a time. A piece is valid until the next one is asked for.
 * @throws whatever is not the fault of these bytes
 */
export async function* readPieces(
  file: FileHandle,
  buffer: Buffer,
  offset: number,
  length: number,
): AsyncGenerator<FilePiece> {
  const end = offset + length;
  for (let at = offset; at < end;) {
    const wanted = Math.min(buffer.length, end - at);
    const bytesRead = await readOrNull(file, buffer, at, wanted);
    if (bytesRead === 0) {
      yield { bytes: null, length: end - at };
      return;
    }
    if (bytesRead === null) {
      yield* readPages(file, buffer, at, wanted);
      at += wanted;
    } else {
      yield { bytes: buffer.subarray(0, bytesRead), length: bytesRead };
      at += bytesRead;
    }
  }
}

async function* readPages(
  file: FileHandle,
  buffer: Buffer,
  offset: number,
  length: number,
): AsyncGenerator<FilePiece> {
  for (let done = 0; done < length;) {
    const wanted = Math.min(PAGE_BYTES, length - done);
    const bytesRead = (await readOrNull(file, buffer, offset + done, wanted)) ?? 0;
    const isWhole = bytesRead === wanted;
    yield { bytes: isWhole ? buffer.subarray(0, wanted) : null, length: wanted };
    done += wanted;
  }
}

/** How many bytes were read, or null when they can't be. */
async function readOrNull(
  file: FileHandle,
  buffer: Buffer,
  offset: number,
  length: number,
): Promise<number | null> {
  try {
    return (await file.read(buffer, 0, length, offset)).bytesRead;
  } catch (error) {
    if (isUnreadable(error)) return null;
    throw error;
  }
}

/** Reads a small range whole, with zeros where it can't be read. */
export async function readWithZeros(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const whole = Buffer.alloc(length);
  if (offset < 0) return whole;
  let done = 0;
  for await (const { bytes, length: count } of readPieces(file, Buffer.alloc(PAGE_BYTES), offset, length)) {
    bytes?.copy(whole, done);
    done += count;
  }
  return whole;
}
