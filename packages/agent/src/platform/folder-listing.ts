import fs from 'node:fs';
import type { ByteString } from '@cofre/shared/bytes';
import type { FolderHandle } from './folder-handle.ts';
import { lastErrno, lazily, nativeFunction } from './libc.ts';
import { systemError } from './system-error.ts';

/** Names in a folder, in byte order, and what stopped the listing, if anything did. */
export interface FolderListing {
  readonly names: ByteString[];
  /** A system error; the names are then not all. */
  readonly error?: unknown;
}

const calls = lazily(() => ({
  getdents64: nativeFunction<[number, Buffer, number]>(
    'int64_t getdents64(int fd, void *entries, size_t size)',
  ),
}));

const buffer = Buffer.alloc(65_536);

// struct linux_dirent64: inode and offset of 8 bytes each, length of 2, type of 1, name with a NUL.
const LENGTH_OFFSET = 16;
const NAME_OFFSET = 19;
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Lists a folder that was just opened (a second listing of the same handle gives nothing). What a damaged
 * disk still gives is given, with the error beside it.
 */
export function listFolder(folder: FolderHandle): FolderListing {
  if (folder.isPlainPath) {
    return { names: fs.readdirSync(folder.selfPath(), 'latin1').sort() as ByteString[] };
  }
  const names: ByteString[] = [];
  for (;;) {
    const result = calls().getdents64(folder.fd, buffer, buffer.length);
    if (result < 0) {
      return { names: names.sort(), error: systemError(lastErrno(), 'getdents', folder.path) };
    }
    if (Number(result) === 0) return { names: names.sort() };
    collectNames(Number(result), names);
  }
}

function collectNames(filledBytes: number, names: ByteString[]): void {
  let start = 0;
  while (start < filledBytes) {
    const length = isLittleEndian
      ? buffer[start + LENGTH_OFFSET]! | (buffer[start + LENGTH_OFFSET + 1]! << 8)
      : (buffer[start + LENGTH_OFFSET]! << 8) | buffer[start + LENGTH_OFFSET + 1]!;
    const nameStart = start + NAME_OFFSET;
    let nameEnd = nameStart;
    while (buffer[nameEnd] !== 0) nameEnd++;
    const name = buffer.toString('latin1', nameStart, nameEnd);
    if (name !== '.' && name !== '..') names.push(name as ByteString);
    start += length;
  }
}
