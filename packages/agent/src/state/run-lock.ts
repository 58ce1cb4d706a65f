import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import { lastErrno, lazily, nativeFunction } from '../platform/libc.ts';
import { systemError } from '../platform/system-error.ts';

const LOCK_EXCLUSIVE = 2;
const LOCK_NO_WAIT = 4;
const EWOULDBLOCK = 11;

const calls = lazily(() => ({
  flock: nativeFunction<[number, number]>('int flock(int fd, int operation)'),
}));

/**
 * Makes this process the only one that changes the state in `folder`, until the lock is disposed of. The kernel
 * holds it by the open file, so a process that was killed leaves nothing behind.
 * @throws CofreError `busy`, `file_unwritable`
 */
export function lockState(folder: string): Disposable {
  const file = join(folder, 'lock');
  const descriptor = openLockFile(file);
  if (calls().flock(descriptor, LOCK_EXCLUSIVE | LOCK_NO_WAIT) !== 0) {
    const errno = lastErrno();
    closeSync(descriptor);
    if (errno === EWOULDBLOCK) throw new CofreError('busy', { what: folder });
    throw systemError(errno, 'flock', Buffer.from(file));
  }
  return { [Symbol.dispose]: () => closeSync(descriptor) };
}

/** The file stays: removing it would let two processes hold locks on two files of the same name. */
function openLockFile(file: string): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (cause) {
    const problem = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CofreError('file_unwritable', { file, problem }, { cause });
  }
}
