import type { ByteString } from '@cofre/shared/bytes';
import { checkResult, lastErrno, lazily, nativeFunction, pathArgument } from './libc.ts';
import type { RawPath } from './libc.ts';
import { systemError } from './system-error.ts';

/** A path, whose last component is not followed when it is a link, or an open descriptor. */
export type AttributeTarget = RawPath | number;

const ERANGE = 34;
const ENODATA = 61;
const NAME_BYTES_MAX = 255;
/** What Linux allows for one value and for one list. A file system with more is asked for its size. */
const SCRATCH_BYTES = 65_536;

const calls = lazily(() => ({
  llistxattr: nativeFunction<[Buffer, Buffer, number]>(
    'int64_t llistxattr(const void *path, void *list, size_t size)',
  ),
  flistxattr: nativeFunction<[number, Buffer, number]>('int64_t flistxattr(int fd, void *list, size_t size)'),
  lgetxattr: nativeFunction<[Buffer, Buffer, Buffer, number]>(
    'int64_t lgetxattr(const void *path, const void *name, void *value, size_t size)',
  ),
  fgetxattr: nativeFunction<[number, Buffer, Buffer, number]>(
    'int64_t fgetxattr(int fd, const void *name, void *value, size_t size)',
  ),
  lsetxattr: nativeFunction<[Buffer, Buffer, Buffer, number, number]>(
    'int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
  ),
  fsetxattr: nativeFunction<[number, Buffer, Buffer, number, number]>(
    'int fsetxattr(int fd, const void *name, const void *value, size_t size, int flags)',
  ),
  lremovexattr: nativeFunction<[Buffer, Buffer]>('int lremovexattr(const void *path, const void *name)'),
  fremovexattr: nativeFunction<[number, Buffer]>('int fremovexattr(int fd, const void *name)'),
}));

const nameScratch = Buffer.alloc(NAME_BYTES_MAX + 1);
let scratch = Buffer.alloc(0);

/** Names of all extended attributes that the caller may see, in the kernel's order. Throws system errors. */
export function listExtendedAttributes(target: AttributeTarget): ByteString[] {
  const length = fillScratch('listxattr', target, (buffer) =>
    typeof target === 'number'
      ? calls().flistxattr(target, buffer, buffer.length)
      : calls().llistxattr(pathArgument(target, 'listxattr'), buffer, buffer.length),
  );
  if (length === null || length === 0) return [];
  // Each name ends in a NUL, the last one too.
  return scratch.toString('latin1', 0, length - 1).split('\0') as ByteString[];
}

/** The value of an extended attribute, copied; null when the file has none of this name. */
export function getExtendedAttribute(target: AttributeTarget, name: ByteString): Buffer | null {
  const nameBytes = attributeName(name, target);
  const length = fillScratch('getxattr', target, (buffer) =>
    typeof target === 'number'
      ? calls().fgetxattr(target, nameBytes, buffer, buffer.length)
      : calls().lgetxattr(pathArgument(target, 'getxattr'), nameBytes, buffer, buffer.length),
  );
  return length === null ? null : Buffer.from(scratch.subarray(0, length));
}

/** Sets an extended attribute, replacing what is there. Throws system errors. */
export function setExtendedAttribute(target: AttributeTarget, name: ByteString, value: Uint8Array): void {
  const nameBytes = attributeName(name, target);
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const result =
    typeof target === 'number'
      ? calls().fsetxattr(target, nameBytes, bytes, bytes.length, 0)
      : calls().lsetxattr(pathArgument(target, 'setxattr'), nameBytes, bytes, bytes.length, 0);
  checkResult(result, 'setxattr', target);
}

/** Removes an extended attribute; throws ENODATA when the file has none of this name. */
export function removeExtendedAttribute(target: AttributeTarget, name: ByteString): void {
  const nameBytes = attributeName(name, target);
  const result =
    typeof target === 'number'
      ? calls().fremovexattr(target, nameBytes)
      : calls().lremovexattr(pathArgument(target, 'removexattr'), nameBytes);
  checkResult(result, 'removexattr', target);
}

/** Runs `call` on the scratch buffer, grown as needed. Bytes written, or null for ENODATA. */
function fillScratch(
  systemCall: string,
  target: AttributeTarget,
  call: (buffer: Buffer) => number | bigint,
): number | null {
  if (scratch.length === 0) scratch = Buffer.alloc(SCRATCH_BYTES);
  for (;;) {
    const result = call(scratch);
    if (result >= 0) return Number(result);
    const errno = lastErrno();
    if (errno === ENODATA) return null;
    if (errno !== ERANGE) throw systemError(errno, systemCall, target);
    scratch = Buffer.alloc(scratch.length * 2);
  }
}

function attributeName(name: ByteString, target: AttributeTarget): Buffer {
  if (name.length > NAME_BYTES_MAX || name.includes('\0')) throw systemError(ERANGE, 'xattr', target);
  nameScratch[nameScratch.write(name, 'latin1')] = 0;
  return nameScratch;
}
