import fs from 'node:fs';
import { bytesFromByteString } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { CURRENT_FOLDER, PATH_BYTES_MAX } from './libc.ts';
import type { RawPath } from './libc.ts';
import { closeDescriptor, openAt } from './posix.ts';
import { systemError, systemErrorCode } from './system-error.ts';

/**
 * O_NOATIME is not in fs.constants. It keeps the reading of a backup from changing what it reads.
 */
export const O_NOATIME = 0o1000000;

/** What to do about a symbolic link in place of a folder. */
export type LinkPolicy = 'refuse' | 'follow';

const FOLDER_FLAGS = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY;
const EINVAL = 22;

/**
 * Descriptors are of this process, threads included, so a path below `/proc/self/fd` means the same in all
 * of its threads. Asked once: a system has it or not (other platforms; a chroot without /proc).
 */
let descriptorPathsWork: boolean | undefined;

function hasDescriptorPaths(): boolean {
  return (descriptorPathsWork ??= process.platform === 'linux' && fs.existsSync('/proc/self/fd'));
}

/**
 * An open folder. What lies in it is reached from its descriptor by one name, whatever the length of its
 * full path and whoever renames or replaces a folder above it meanwhile. The owner closes it.
 *
 * On systems other than Linux it works by plain paths: long paths then fail with ENAMETOOLONG, and a folder
 * above that is replaced by a link is followed.
 */
export class FolderHandle {
  readonly fd: number;
  /** How it was reached: for messages, and for access where there is nothing better. */
  readonly path: ByteString;
  #open = true;

  private constructor(fd: number, path: ByteString) {
    this.fd = fd;
    this.path = path;
  }

  /**
   * Opens a folder by an absolute path of any length. Symbolic links in it are followed: it is for paths
   * that the user gave. Throws system errors (ENOENT, ENOTDIR, EACCES).
   */
  static open(path: ByteString): FolderHandle {
    if (process.platform !== 'linux') {
      return new FolderHandle(fs.openSync(bytesFromByteString(path), FOLDER_FLAGS), path);
    }
    let fd = CURRENT_FOLDER;
    for (const part of pathInParts(path)) {
      const above = fd;
      try {
        fd = openFolderAt(above, part, 0);
      } finally {
        if (above !== CURRENT_FOLDER) closeDescriptor(above);
      }
    }
    return new FolderHandle(fd, path);
  }

  /** Whether calls must go by the full path, since descriptors cannot be used as a starting point. */
  get isPlainPath(): boolean {
    return process.platform !== 'linux';
  }

  /**
   * Opens the folder `name` inside this one. Refuses whatever is no folder, and a symbolic link unless told
   * to follow it (ENOTDIR, on some systems ELOOP).
   */
  openFolder(name: ByteString, links: LinkPolicy = 'refuse'): FolderHandle {
    assertSingleName(name);
    const path = `${this.path === '/' ? '' : this.path}/${name}` as ByteString;
    const linkFlag = links === 'refuse' ? fs.constants.O_NOFOLLOW : 0;
    const fd = this.isPlainPath
      ? fs.openSync(bytesFromByteString(path), FOLDER_FLAGS | linkFlag)
      : openFolderAt(this.fd, name, linkFlag);
    return new FolderHandle(fd, path);
  }

  /**
   * A path to `name` inside this folder for any call of node:fs, short whatever the depth, valid in all
   * threads while this handle is open. Calls that follow links still follow `name` itself.
   */
  childPath(name: RawPath): Buffer {
    assertSingleName(name);
    const tail = typeof name === 'string' ? bytesFromByteString(name) : name;
    const head = hasDescriptorPaths() ? `/proc/self/fd/${this.fd}/` : `${this.path}/`;
    return Buffer.concat([Buffer.from(head, 'latin1'), tail]);
  }

  /** A path to this folder itself, as {@link childPath} gives them. */
  selfPath(): Buffer {
    return Buffer.from(hasDescriptorPaths() ? `/proc/self/fd/${this.fd}/.` : this.path, 'latin1');
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.isPlainPath) fs.closeSync(this.fd);
    else closeDescriptor(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Runs `use` with a path by which node:fs and the native calls reach `path` (absolute, of any length). The
 * path is valid during the call only. Links above the last component are followed: check the object's
 * identity where that matters.
 */
export function withReachablePath<Result>(path: ByteString, use: (reachable: Buffer) => Result): Result {
  if (path.length <= PATH_BYTES_MAX) return use(bytesFromByteString(path));
  const cut = path.lastIndexOf('/');
  using folder = FolderHandle.open(path.slice(0, cut) as ByteString);
  return use(folder.childPath(path.slice(cut + 1) as ByteString));
}

/** Opens a folder without touching its access time where the kernel allows that (owner or root). */
function openFolderAt(folder: number, name: RawPath, extraFlags: number): number {
  try {
    return openAt(folder, name, FOLDER_FLAGS | extraFlags | fs.constants.O_NONBLOCK | O_NOATIME);
  } catch (error) {
    if (systemErrorCode(error) !== 'EPERM') throw error;
    return openAt(folder, name, FOLDER_FLAGS | extraFlags);
  }
}

/** Cuts an absolute path into pieces that the kernel takes, each to be resolved from the one before. */
function pathInParts(path: ByteString): ByteString[] {
  if (!path.startsWith('/')) throw systemError(EINVAL, 'open', path);
  const parts: string[] = [];
  let rest: string = path;
  while (rest.length > PATH_BYTES_MAX) {
    const cut = rest.lastIndexOf('/', PATH_BYTES_MAX);
    // Without a slash the kernel refuses the name, which is longer than any may be.
    if (cut <= 0) break;
    parts.push(rest.slice(0, cut));
    rest = rest.slice(cut).replace(/^\/+/, '');
  }
  return [...parts, rest === '' ? '.' : rest] as ByteString[];
}

/** A name with a slash, or `..`, would leave the folder. */
function assertSingleName(name: RawPath): void {
  const text = typeof name === 'string' ? name : name.toString('latin1');
  if (text === '' || text === '.' || text === '..' || text.includes('/')) {
    throw systemError(EINVAL, 'open', name);
  }
}
