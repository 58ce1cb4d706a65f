import fs from 'node:fs';
import type { EntryType } from '@cofre/shared/format/entry';
import type { ByteString } from '@cofre/shared/bytes';
import { withReachablePath } from './folder-handle.ts';
import type { FolderHandle } from './folder-handle.ts';
import {
  AT_SYMLINK_NOFOLLOW,
  CURRENT_FOLDER,
  checkResult,
  lazily,
  nativeFunction,
  pathArgument,
} from './libc.ts';
import type { RawPath } from './libc.ts';
import { unpackDeviceNumber } from './posix.ts';

/** What the file system says about one object. Plain data, so that it may be sent to a worker. */
export interface FileStatus {
  readonly type: FileType;
  /** Permission, setuid, setgid and sticky bits only (`0o7777`). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly linkCount: number;
  readonly sizeBytes: number;
  /** Space taken on the file system, in units of 512 bytes. Below the size for sparse files. */
  readonly blocks: number;
  /** Number of the file system (packed major and minor), and of the object in it: together its identity. */
  readonly deviceId: bigint;
  readonly inode: bigint;
  /** Of the device that a device node stands for. */
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Nanoseconds since 1970, negative before it. */
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly atimeNs: bigint;
  /** Undefined where the file system keeps none. */
  readonly birthtimeNs: bigint | undefined;
}

/** Types of a catalog, and what has no place in one. */
export type FileType = Exclude<EntryType, 'stream'> | 'socket' | 'unknown';

const AT_EMPTY_PATH = 0x1000;
const AT_NO_AUTOMOUNT = 0x800;
/** STATX_BASIC_STATS and STATX_BTIME. */
const WANTED_FIELDS = 0xfff;
const BIRTHTIME_FIELD = 0x800;
const NANOSECONDS = 1_000_000_000n;

const calls = lazily(() => ({
  statx: nativeFunction<[number, Buffer, number, number, Buffer]>(
    'int statx(int folder, const void *path, int flags, unsigned int mask, void *status)',
  ),
}));

// struct statx has one layout on all machines, in the machine's own byte order: so have typed arrays.
const structBytes = Buffer.from(new ArrayBuffer(256));
const halves = new Uint16Array(structBytes.buffer);
const words = new Uint32Array(structBytes.buffer);
const signed = new BigInt64Array(structBytes.buffer);
const unsigned = new BigUint64Array(structBytes.buffer);
const noPath = Buffer.alloc(1);

/** Status of `name` inside `folder`; a symbolic link is not followed, an automount not triggered. */
export function statusAt(folder: FolderHandle, name: RawPath): FileStatus {
  if (folder.isPlainPath) return statusFromNode(fs.lstatSync(folder.childPath(name), { bigint: true }));
  return statx(folder.fd, pathArgument(name, 'lstat'), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 'lstat', name);
}

/** Like {@link statusAt}, but of what a symbolic link leads to. */
export function followedStatusAt(folder: FolderHandle, name: RawPath): FileStatus {
  if (folder.isPlainPath) return statusFromNode(fs.statSync(folder.childPath(name), { bigint: true }));
  return statx(folder.fd, pathArgument(name, 'stat'), 0, 'stat', name);
}

/** Status of an absolute path of any length; its last component is not followed when it is a link. */
export function statusOfPath(path: ByteString): FileStatus {
  return withReachablePath(path, (reachable) =>
    process.platform === 'linux'
      ? statx(CURRENT_FOLDER, pathArgument(reachable, 'lstat'), AT_SYMLINK_NOFOLLOW, 'lstat', path)
      : statusFromNode(fs.lstatSync(reachable, { bigint: true })),
  );
}

/** Status of an open file or folder. */
export function statusOf(fd: number): FileStatus {
  if (process.platform !== 'linux') return statusFromNode(fs.fstatSync(fd, { bigint: true }));
  return statx(fd, noPath, AT_EMPTY_PATH, 'fstat', fd);
}

/** Whether both are the same object; an inode number alone may be used again by another type of object. */
export function isSameObject(
  left: Pick<FileStatus, 'deviceId' | 'inode' | 'type'>,
  right: Pick<FileStatus, 'deviceId' | 'inode' | 'type'>,
): boolean {
  return left.inode === right.inode && left.deviceId === right.deviceId && left.type === right.type;
}

function statx(
  folder: number,
  path: Buffer,
  flags: number,
  systemCall: string,
  subject: RawPath | number,
): FileStatus {
  checkResult(calls().statx(folder, path, flags, WANTED_FIELDS, structBytes), systemCall, subject);
  // The fields by their place in struct statx (see statx(2)), counted in units of each array.
  const mode = halves[14]!;
  return {
    type: fileTypes[mode >> 12] ?? 'unknown',
    mode: mode & 0o7777,
    uid: words[5]!,
    gid: words[6]!,
    linkCount: words[4]!,
    sizeBytes: words64(10),
    blocks: words64(12),
    deviceId: BigInt(words[34]!) * 0x1_0000_0000n + BigInt(words[35]!),
    inode: unsigned[4]!,
    deviceMajor: words[32]!,
    deviceMinor: words[33]!,
    mtimeNs: timeNs(14),
    ctimeNs: timeNs(12),
    atimeNs: timeNs(8),
    birthtimeNs: (words[0]! & BIRTHTIME_FIELD) === 0 ? undefined : timeNs(10),
  };
}

/** A 64-bit count as a number: exact up to 2^53, which no size or count of blocks reaches. */
function words64(index: number): number {
  return Number(unsigned[index / 2]!);
}

function timeNs(index: number): bigint {
  return signed[index]! * NANOSECONDS + BigInt(words[index * 2 + 2]!);
}

/** By the type bits of st_mode, shifted down. */
const fileTypes: Readonly<Record<number, FileType>> = {
  0o01: 'fifo',
  0o02: 'character-device',
  0o04: 'directory',
  0o06: 'block-device',
  0o10: 'file',
  0o12: 'symlink',
  0o14: 'socket',
};

function statusFromNode(stats: fs.BigIntStats): FileStatus {
  const device = unpackDeviceNumber(stats.rdev);
  const fileSystem = unpackDeviceNumber(stats.dev);
  return {
    type: fileTypes[Number(stats.mode) >> 12] ?? 'unknown',
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    linkCount: Number(stats.nlink),
    sizeBytes: Number(stats.size),
    blocks: Number(stats.blocks),
    deviceId: BigInt(fileSystem.major) * 0x1_0000_0000n + BigInt(fileSystem.minor),
    inode: stats.ino,
    deviceMajor: device.major,
    deviceMinor: device.minor,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    atimeNs: stats.atimeNs,
    birthtimeNs: stats.birthtimeNs,
  };
}
