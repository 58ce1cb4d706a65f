import fs from 'node:fs';
import type { ByteString } from '@cofre/shared/bytes';
import { isSameObject, statusOf } from '../platform/file-status.ts';
import type { FileStatus } from '../platform/file-status.ts';
import { O_NOATIME, withReachablePath } from '../platform/folder-handle.ts';
import { CURRENT_FOLDER } from '../platform/libc.ts';
import { closeDescriptor, openAt } from '../platform/posix.ts';
import { systemErrorCode } from '../platform/system-error.ts';

/** What a walk saw of the file; plain data, which may come from another thread. */
export type ExpectedFile = Pick<FileStatus, 'deviceId' | 'inode' | 'type'>;

/** `replaced`: another object has the path now (or the file became something else), nothing is open. */
export type OpenResult =
  { readonly outcome: 'open'; readonly file: OpenFile } | { readonly outcome: 'replaced' };

// NONBLOCK, since a FIFO that took the file's place would make us wait for a writer.
const FLAGS = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

/**
 * Opens a regular file for reading, by an absolute path of any length, without touching its access time
 * where the kernel allows that (owner or root). Throws system errors (ENOENT, EACCES …).
 */
export function openFileForReading(path: ByteString, expected: ExpectedFile): OpenResult {
  let fd: number;
  try {
    fd = withReachablePath(path, openQuietly);
  } catch (error) {
    // ELOOP: a symbolic link; ENXIO: a socket; ENOTDIR: a folder above became a file.
    if (['ELOOP', 'ENXIO', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return { outcome: 'replaced' };
    throw error;
  }
  try {
    const status = statusOf(fd);
    if (status.type === 'file' && isSameObject(status, expected)) {
      return { outcome: 'open', file: new OpenFile(fd, status) };
    }
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
  closeDescriptor(fd);
  return { outcome: 'replaced' };
}

function openQuietly(path: Buffer): number {
  try {
    return openAt(CURRENT_FOLDER, path, FLAGS | O_NOATIME);
  } catch (error) {
    if (systemErrorCode(error) !== 'EPERM') throw error;
    return openAt(CURRENT_FOLDER, path, FLAGS);
  }
}

/** A regular file that is open for reading. The owner closes it. All calls are synchronous. */
export class OpenFile {
  readonly fd: number;
  /** As it was when it was opened: its size is how much of it is to be read. */
  readonly status: FileStatus;
  #open = true;

  constructor(fd: number, status: FileStatus) {
    this.fd = fd;
    this.status = status;
  }

  /**
   * Fills `target` from `position` on, never beyond the size that the file had when it was opened. Returns
   * the bytes read: fewer than asked for only at that size, or where the file has become shorter meanwhile.
   */
  read(target: Uint8Array, position: number): number {
    const wanted = Math.min(target.length, this.status.sizeBytes - position);
    let filled = 0;
    while (filled < wanted) {
      const bytes = fs.readSync(this.fd, target, filled, wanted - filled, position + filled);
      if (bytes === 0) break;
      filled += bytes;
    }
    return filled;
  }

  /**
   * Whether the file was changed since it was opened, to be asked after reading: size, modification or
   * attributes. A change within the kernel's clock tick (some ms) of an earlier one may go unseen.
   */
  hasChanged(): boolean {
    const now = statusOf(this.fd);
    const { sizeBytes, mtimeNs, ctimeNs } = this.status;
    return now.sizeBytes !== sizeBytes || now.mtimeNs !== mtimeNs || now.ctimeNs !== ctimeNs;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeDescriptor(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
