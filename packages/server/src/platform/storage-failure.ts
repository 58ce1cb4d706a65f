/**
 * The kernel could not promise that something is on disk. After it nobody knows what is: dirty pages may have
 * been dropped, and asking again would answer "yes" falsely. The process has to end and recover at its start.
 */
export class StorageFailure extends Error {
  constructor(what: string, cause: unknown) {
    super(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'StorageFailure';
  }
}

/** The `code` of a Node system error, such as `ENOENT`; null when it has none. */
export function systemErrorCode(error: unknown): string | null {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : null;
}

/** Whether a call failed because the disk or a quota of the host is full: nothing is broken, and it may pass. */
export function isOutOfSpace(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Whether a read failed because the disk, or its file system, has lost what was there: that concerns these bytes only. */
export function isUnreadable(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'EIO' || code === 'EUCLEAN' || code === 'EBADMSG';
}

/** Whether a call failed because the file or folder is not there. */
export function isNotThere(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
