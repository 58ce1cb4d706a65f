import { createRequire } from 'node:module';
import type { LibraryHandle } from 'koffi';
import type { ByteString } from '@cofre/shared/bytes';
import { systemError } from './system-error.ts';

/**
 * A path as the kernel takes it: raw bytes without NUL, as a byte string or as the Buffer that node:fs
 * takes too.
 */
export type RawPath = ByteString | Buffer;

/** Stands for the current folder where a call wants the descriptor of a folder. */
export const CURRENT_FOLDER = -100;

/** Flag of the `…at` calls: work on a symbolic link itself. */
export const AT_SYMLINK_NOFOLLOW = 0x100;

/** Longest path that the kernel takes in one call, without the NUL. Go through folder handles beyond. */
export const PATH_BYTES_MAX = 4095;

export type NativeFunction<Arguments extends readonly unknown[]> = (...args: Arguments) => number | bigint;

interface Native {
  readonly library: LibraryHandle;
  readonly errno: () => number;
}

let native: Native | undefined;

/**
 * The C library of this process, loaded at the first use and once a thread: it costs about 10 ms and 8 MB
 * that a command which touches no files need not pay. Throws where there is no Linux on 64 bits, since the
 * layouts and constants of all callers are that platform's.
 */
function loadNative(): Native {
  if (native === undefined) {
    if (process.platform !== 'linux' || !/64|s390x/.test(process.arch)) {
      throw new Error(`native file access is made for 64-bit Linux, not ${process.platform} ${process.arch}`);
    }
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    native = { library: koffi.load(null), errno: () => koffi.errno() };
  }
  return native;
}

/** Makes `build`'s result at the first call; later calls return the same. */
export function lazily<Value extends object>(build: () => Value): () => Value {
  let value: Value | undefined;
  return () => (value ??= build());
}

/** Binds a function of the C library by its C prototype. */
export function nativeFunction<Arguments extends readonly unknown[]>(
  prototype: string,
): NativeFunction<Arguments> {
  return loadNative().library.func(prototype) as NativeFunction<Arguments>;
}

/** Error number of the last native call of this thread; to be read before anything else is called. */
export function lastErrno(): number {
  return loadNative().errno();
}

/**
 * Passes on the result of a native call as a number, or throws what errno says when it is negative.
 * `subject` is the path or descriptor that the message names.
 */
export function checkResult(result: number | bigint, systemCall: string, subject: RawPath | number): number {
  if (result < 0) throw systemError(lastErrno(), systemCall, subject);
  return Number(result);
}

// One buffer for each path of a call: no allocation per call, and the native side never keeps them.
const firstPath = Buffer.alloc(PATH_BYTES_MAX + 1);
const secondPath = Buffer.alloc(PATH_BYTES_MAX + 1);

/**
 * `path` with a NUL behind it, in a buffer that the next call of this function reuses. Throws ENAMETOOLONG
 * beyond {@link PATH_BYTES_MAX}, and EINVAL for a NUL inside, which would silently name another file.
 */
export function pathArgument(path: RawPath, systemCall: string): Buffer {
  return terminated(path, systemCall, firstPath);
}

/** Like {@link pathArgument}, for the second path of a call that takes two. */
export function secondPathArgument(path: RawPath, systemCall: string): Buffer {
  return terminated(path, systemCall, secondPath);
}

const EINVAL = 22;
const ENAMETOOLONG = 36;

function terminated(path: RawPath, systemCall: string, target: Buffer): Buffer {
  if (path.length > PATH_BYTES_MAX) throw systemError(ENAMETOOLONG, systemCall, path);
  if (typeof path === 'string') {
    target.write(path, 'latin1');
    if (path.includes('\0')) throw systemError(EINVAL, systemCall, path);
  } else {
    path.copy(target);
    if (path.includes(0)) throw systemError(EINVAL, systemCall, path);
  }
  target[path.length] = 0;
  return target;
}
