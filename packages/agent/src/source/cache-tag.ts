import fs from 'node:fs';
import type { ByteString } from '@cofre/shared/bytes';
import type { FolderHandle } from '../platform/folder-handle.ts';

export const CACHE_TAG_NAME = 'CACHEDIR.TAG' as ByteString;

const SIGNATURE = Buffer.from('Signature: 8a477f597d28d172789f06886806bc55', 'latin1');
// A FIFO of this name must not make us wait for a writer.
const FLAGS = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

/**
 * Whether a folder is marked as a cache by a CACHEDIR.TAG with the right signature
 * (https://bford.info/cachedir/). A tag that cannot be read is none: its folder is then backed up.
 */
export function hasCacheTag(folder: FolderHandle): boolean {
  let fd: number | undefined;
  try {
    fd = fs.openSync(folder.childPath(CACHE_TAG_NAME), FLAGS);
    const head = Buffer.alloc(SIGNATURE.length);
    return (
      fs.fstatSync(fd).isFile() &&
      fs.readSync(fd, head, 0, head.length, 0) === head.length &&
      head.equals(SIGNATURE)
    );
  } catch {
    return false;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
