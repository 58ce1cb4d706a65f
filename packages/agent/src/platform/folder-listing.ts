import fs from 'node:fs';
import type { ByteString } from '@cofre/shared/bytes';
import type { FolderHandle } from './folder-handle.ts';
import { lastErrno, lazily, nativeFunction } from './libc.ts';
import { NameList } from './name-list.ts';
import { systemError } from './system-error.ts';

/** Names in a folder, in byte order, and what stopped the listing, if anything did. */
export interface FolderListing {
  readonly names: NameList;
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
const DOT = 0x2e;
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Lists a folder that was just opened (a second listing of the same handle gives nothing). What a damaged
 * disk still gives is given, with the error beside it.
 */
export function listFolder(folder: FolderHandle): FolderListing {
  if (folder.isPlainPath) {
    return { names: NameList.of(fs.readdirSync(folder.selfPath(), 'latin1') as ByteString[]) };
  }
  const names = new NameList();
  for (;;) {
    const result = Number(calls().getdents64(folder.fd, buffer, buffer.length));
    if (result > 0) {
      collectNames(result, names);
      continue;
    }
    const error = result < 0 ? systemError(lastErrno(), 'getdents', folder.path) : undefined;
    names.sort();
    return error === undefined ? { names } : { names, error };
  }
}

/** Moves the names together, to the front of the buffer: there they take less than the records that hold them. */
function collectNames(filledBytes: number, names: NameList): void {
  const starts: number[] = [];
  let end = 0;
  for (let record = 0; record < filledBytes;) {
    const length = isLittleEndian
      ? buffer[record + LENGTH_OFFSET]! | (buffer[record + LENGTH_OFFSET + 1]! << 8)
      : (buffer[record + LENGTH_OFFSET]! << 8) | buffer[record + LENGTH_OFFSET + 1]!;
    const start = end;
    for (let from = record + NAME_OFFSET; buffer[from] !== 0; from++) buffer[end++] = buffer[from]!;
    if (isOwnOrAbove(start, end)) {
      end = start;
    } else {
      buffer[end++] = 0;
      starts.push(start);
    }
    record += length;
  }
  names.add(buffer.subarray(0, end), starts);
}

/** Whether the name is `.` or `..`. */
function isOwnOrAbove(start: number, end: number): boolean {
  return end - start <= 2 && buffer[start] === DOT && buffer[end - 1] === DOT;
}
