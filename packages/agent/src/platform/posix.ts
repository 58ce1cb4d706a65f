import type { ByteString } from '@cofre/shared/bytes';
import type { DeviceNumber, EntryType } from '@cofre/shared/format/entry';
import {
  AT_SYMLINK_NOFOLLOW,
  checkResult,
  lastErrno,
  lazily,
  nativeFunction,
  pathArgument,
  secondPathArgument,
} from './libc.ts';
import type { RawPath } from './libc.ts';
import { systemError } from './system-error.ts';

/**
 * What node:fs has no call for, or only a weaker one. All calls are synchronous, may be made in any thread,
 * and throw errors shaped like those of node:fs. `folder` is the descriptor of an open folder (or
 * CURRENT_FOLDER); `name` is resolved from there, so that one component never follows a link unnoticed.
 */

const AT_REMOVEDIR = 0x200;
const UTIME_OMIT = 1_073_741_822n;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = 6;

const calls = lazily(() => ({
  // Variadic in C; passing all four arguments in registers is the same on every 64-bit Linux.
  openat: nativeFunction<[number, Buffer, number, number]>(
    'int openat(int folder, const void *path, int flags, unsigned int mode)',
  ),
  close: nativeFunction<[number]>('int close(int fd)'),
  mkdirat: nativeFunction<[number, Buffer, number]>(
    'int mkdirat(int folder, const void *path, unsigned int mode)',
  ),
  mknodat: nativeFunction<[number, Buffer, number, number | bigint]>(
    'int mknodat(int folder, const void *path, unsigned int mode, uint64_t device)',
  ),
  symlinkat: nativeFunction<[Buffer, number, Buffer]>(
    'int symlinkat(const void *target, int folder, const void *path)',
  ),
  linkat: nativeFunction<[number, Buffer, number, Buffer, number]>(
    'int linkat(int fromFolder, const void *from, int toFolder, const void *to, int flags)',
  ),
  unlinkat: nativeFunction<[number, Buffer, number]>('int unlinkat(int folder, const void *path, int flags)'),
  renameat: nativeFunction<[number, Buffer, number, Buffer]>(
    'int renameat(int fromFolder, const void *from, int toFolder, const void *to)',
  ),
  readlinkat: nativeFunction<[number, Buffer, Buffer, number]>(
    'int64_t readlinkat(int folder, const void *path, void *target, size_t size)',
  ),
  fchownat: nativeFunction<[number, Buffer, number, number, number]>(
    'int fchownat(int folder, const void *path, uint32_t owner, uint32_t group, int flags)',
  ),
  utimensat: nativeFunction<[number, Buffer, BigInt64Array, number]>(
    'int utimensat(int folder, const void *path, const void *times, int flags)',
  ),
  futimens: nativeFunction<[number, BigInt64Array]>('int futimens(int fd, const void *times)'),
  lseek: nativeFunction<[number, number, number]>('int64_t lseek(int fd, int64_t offset, int whence)'),
}));

/**
 * Opens `name` inside `folder` with flags of `fs.constants`; the caller closes it with
 * {@link closeDescriptor}: in a worker thread node:fs warns of descriptors that it has not opened.
 */
export function openAt(folder: number, name: RawPath, flags: number, mode = 0): number {
  return checkResult(calls().openat(folder, pathArgument(name, 'open'), flags, mode), 'open', name);
}

/** Closes what {@link openAt} has opened. Throws EBADF for a descriptor that is not open. */
export function closeDescriptor(fd: number): void {
  checkResult(calls().close(fd), 'close', fd);
}

/** Makes a folder; the process's umask applies to `mode`. Refuses an existing name (EEXIST). */
export function makeFolderAt(folder: number, name: RawPath, mode: number): void {
  checkResult(calls().mkdirat(folder, pathArgument(name, 'mkdir'), mode), 'mkdir', name);
}

/**
 * Makes a FIFO or a device node. The process's umask applies to `mode` (permission bits); devices need
 * CAP_MKNOD, else EPERM.
 */
export function makeNodeAt(
  folder: number,
  name: RawPath,
  type: Extract<EntryType, 'fifo' | 'character-device' | 'block-device'>,
  mode: number,
  device: DeviceNumber = { major: 0, minor: 0 },
): void {
  const result = calls().mknodat(
    folder,
    pathArgument(name, 'mknod'),
    nodeTypeBits[type] | mode,
    packDeviceNumber(device),
  );
  checkResult(result, 'mknod', name);
}

const nodeTypeBits = { fifo: 0o010000, 'character-device': 0o020000, 'block-device': 0o060000 } as const;

/** Makes a symbolic link whose target is kept byte for byte. Refuses an existing name (EEXIST). */
export function makeSymlinkAt(folder: number, name: RawPath, target: ByteString): void {
  const result = calls().symlinkat(
    secondPathArgument(target, 'symlink'),
    folder,
    pathArgument(name, 'symlink'),
  );
  checkResult(result, 'symlink', name);
}

/** Gives an object another name; a symbolic link is linked itself. Refuses an existing name (EEXIST). */
export function makeHardLinkAt(fromFolder: number, from: RawPath, toFolder: number, to: RawPath): void {
  const result = calls().linkat(
    fromFolder,
    pathArgument(from, 'link'),
    toFolder,
    secondPathArgument(to, 'link'),
    0,
  );
  checkResult(result, 'link', to);
}

/** Removes a name of anything but a folder; a symbolic link goes itself. */
export function removeFileAt(folder: number, name: RawPath): void {
  checkResult(calls().unlinkat(folder, pathArgument(name, 'unlink'), 0), 'unlink', name);
}

/** Removes an empty folder. */
export function removeFolderAt(folder: number, name: RawPath): void {
  checkResult(calls().unlinkat(folder, pathArgument(name, 'rmdir'), AT_REMOVEDIR), 'rmdir', name);
}

/** Renames, silently replacing what has the new name. */
export function renameAt(fromFolder: number, from: RawPath, toFolder: number, to: RawPath): void {
  const result = calls().renameat(
    fromFolder,
    pathArgument(from, 'rename'),
    toFolder,
    secondPathArgument(to, 'rename'),
  );
  checkResult(result, 'rename', from);
}

/** Sets the owner of `name` itself, also when it is a symbolic link. Clears setuid and setgid of files. */
export function changeOwnerAt(folder: number, name: RawPath, owner: number, group: number): void {
  const result = calls().fchownat(folder, pathArgument(name, 'chown'), owner, group, AT_SYMLINK_NOFOLLOW);
  checkResult(result, 'chown', name);
}

const linkTarget = Buffer.alloc(4096);

/** The raw target of a symbolic link; throws EINVAL when `name` is none. */
export function readLinkAt(folder: number, name: RawPath): ByteString {
  const result = calls().readlinkat(folder, pathArgument(name, 'readlink'), linkTarget, linkTarget.length);
  const length = checkResult(result, 'readlink', name);
  return linkTarget.toString('latin1', 0, length) as ByteString;
}

/** Nanoseconds since 1970, negative before it; what is left out keeps its time. */
export interface FileTimes {
  readonly atimeNs?: bigint | undefined;
  readonly mtimeNs?: bigint | undefined;
}

const timespecs = new BigInt64Array(4);

/** Sets times of `name` itself, also when it is a symbolic link, to the nanosecond. */
export function setTimesAt(folder: number, name: RawPath, times: FileTimes): void {
  fillTimespecs(times);
  const result = calls().utimensat(folder, pathArgument(name, 'utime'), timespecs, AT_SYMLINK_NOFOLLOW);
  checkResult(result, 'utime', name);
}

/** Sets times of an open file to the nanosecond. */
export function setTimes(fd: number, times: FileTimes): void {
  fillTimespecs(times);
  checkResult(calls().futimens(fd, timespecs), 'futime', fd);
}

function fillTimespecs({ atimeNs, mtimeNs }: FileTimes): void {
  for (const [index, timeNs] of [atimeNs, mtimeNs].entries()) {
    // The kernel wants nanoseconds of 0 to 999,999,999 also before 1970; BigInt division rounds to zero.
    const remainder =
      timeNs === undefined ? UTIME_OMIT : ((timeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    timespecs[index * 2] = timeNs === undefined ? 0n : (timeNs - remainder) / 1_000_000_000n;
    timespecs[index * 2 + 1] = remainder;
  }
}

/** Where data next begins at or after `offset`; null when only a hole is left, or `offset` is past the end. */
export function seekData(fd: number, offset: number): number | null {
  return seek(fd, offset, SEEK_DATA);
}

/** Where a hole next begins at or after `offset` (the end counts as one); null when `offset` is past the end. */
export function seekHole(fd: number, offset: number): number | null {
  return seek(fd, offset, SEEK_HOLE);
}

function seek(fd: number, offset: number, whence: number): number | null {
  const result = calls().lseek(fd, offset, whence);
  if (result >= 0) return Number(result);
  const errno = lastErrno();
  if (errno === ENXIO) return null;
  throw systemError(errno, 'lseek', fd);
}

/** A device number as glibc, musl and the kernel pack it into 64 bits. */
export function packDeviceNumber({ major, minor }: DeviceNumber): bigint {
  const high = BigInt(major);
  const low = BigInt(minor);
  return (
    ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
  );
}

/** The opposite of {@link packDeviceNumber}. */
export function unpackDeviceNumber(packed: bigint): DeviceNumber {
  return {
    major: Number(((packed >> 32n) & 0xfffff000n) | ((packed >> 8n) & 0xfffn)),
    minor: Number(((packed >> 12n) & 0xffffff00n) | (packed & 0xffn)),
  };
}
