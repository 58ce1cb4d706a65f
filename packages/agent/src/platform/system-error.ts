import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { byteStringFromBytes, displayName } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';

/** An error of the operating system, shaped like those of node:fs; `errno` is negative as there. */
export interface SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  /** Safe to print; absent when the call was about a descriptor. */
  readonly path?: string;
}

/** Makes the error for `errno` (positive, as C has it). The subject is a path or a descriptor. */
export function systemError(
  errno: number,
  systemCall: string,
  subject: ByteString | Buffer | number,
): SystemError {
  const [code, meaning] = describeErrno(errno);
  const about = typeof subject === 'number' ? `descriptor ${subject}` : `'${printable(subject)}'`;
  const error = new Error(`${code}: ${meaning}, ${systemCall} ${about}`);
  return Object.assign(error, {
    code,
    errno: -errno,
    syscall: systemCall,
    ...(typeof subject === 'number' ? {} : { path: printable(subject) }),
  });
}

/** The code of a system error (`ENOENT`), or undefined for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('errno' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Errors of file systems that neither libuv nor node:os has a name for. */
const furtherErrors: Readonly<Record<number, [code: string, meaning: string]>> = {
  117: ['EUCLEAN', 'the file system is damaged'],
  126: ['ENOKEY', 'the key of an encrypted file is not there'],
};

function describeErrno(errno: number): [code: string, meaning: string] {
  const known = getSystemErrorMap().get(-errno) ?? furtherErrors[errno];
  if (known !== undefined) return known;
  const name = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0];
  return [name ?? `E${errno}`, name === undefined ? 'unknown error' : 'system error'];
}

function printable(path: ByteString | Buffer): string {
  return displayName(typeof path === 'string' ? path : byteStringFromBytes(path));
}
