import type { ByteString } from '@cofre/shared/bytes';
import type { FileStatus } from '../platform/file-status.ts';

interface LinkGroup {
  readonly firstPath: ByteString;
  /** Names that are still to come. */
  remaining: number;
}

/** Tells which names lead to the same object. Memory follows the objects with names outstanding. */
export class HardLinks {
  private readonly groups = new Map<string, LinkGroup>();

  /** The first path of the object in catalog order, or '' if this is it, or it has no other name. */
  firstPathOf(path: ByteString, status: FileStatus): ByteString {
    if (status.linkCount < 2 || status.type === 'directory') return '' as ByteString;
    const identity = `${status.deviceId}:${status.inode}`;
    const group = this.groups.get(identity);
    if (group === undefined) {
      this.groups.set(identity, { firstPath: path, remaining: status.linkCount - 1 });
      return '' as ByteString;
    }
    group.remaining -= 1;
    if (group.remaining <= 0) this.groups.delete(identity);
    return group.firstPath;
  }

  /**
   * The first name could not be stored: the next one is to take its place.
   * Names that were queued with the old one already are not affected.
   */
  forget(status: FileStatus): void {
    this.groups.delete(`${status.deviceId}:${status.inode}`);
  }
}
