import type { ByteString } from '@cofre/shared/bytes';
import type { FileStatus } from '../platform/file-status.ts';

/** A name that is not the first of its object. It is told once what it is to be. */
export interface FurtherName {
  readonly path: ByteString;
  /** No name before it could be kept: it takes the place of the first, and has to settle the group in its turn. */
  readonly lead: () => void;
  /** The object stands in the snapshot under this name. */
  readonly follow: (firstPath: ByteString) => void;
}

/**
 * The names of one object. The first one in catalog order carries the content; the others refer to it, once it is
 * certain that it does: a first name that cannot be read, or that leads to another object by the time it is read,
 * must not be referred to.
 */
export class LinkGroup {
  private firstPath: ByteString;
  private state: 'open' | 'kept' | 'leaderless' = 'open';
  private readonly waiting: FurtherName[] = [];
  /** Names that are still to come. */
  remaining: number;

  constructor(firstPath: ByteString, linkCount: number) {
    this.firstPath = firstPath;
    this.remaining = linkCount - 1;
  }

  /** Whether this name becomes the first one, since no other is left. */
  leads(path: ByteString): boolean {
    if (this.state !== 'leaderless') return false;
    this.firstPath = path;
    this.state = 'open';
    return true;
  }

  add(name: FurtherName): void {
    if (this.state === 'kept') name.follow(this.firstPath);
    else this.waiting.push(name);
  }

  /** Says what became of the first name. */
  settle(isKept: boolean): void {
    if (isKept) {
      this.state = 'kept';
      for (const name of this.waiting.splice(0)) name.follow(this.firstPath);
      return;
    }
    this.state = 'leaderless';
    const next = this.waiting.shift();
    if (next === undefined) return;
    this.leads(next.path);
    next.lead();
  }
}

/** Tells which names lead to the same object. Memory follows the objects with names outstanding. */
export class HardLinks {
  private readonly groups = new Map<string, LinkGroup>();

  /** The names of this object, of which this one may be the first; null where it has no other. */
  groupOf(
    path: ByteString,
    status: FileStatus,
  ): { readonly group: LinkGroup; readonly isFirst: boolean } | null {
    if (status.linkCount < 2 || status.type === 'directory') return null;
    // With the time of birth, which tells an object from one that got its number during the walk.
    const identity = `${status.deviceId}:${status.inode}:${status.birthtimeNs ?? ''}`;
    const known = this.groups.get(identity);
    if (known === undefined) {
      const group = new LinkGroup(path, status.linkCount);
      this.groups.set(identity, group);
      return { group, isFirst: true };
    }
    known.remaining -= 1;
    if (known.remaining <= 0) this.groups.delete(identity);
    return { group: known, isFirst: known.leads(path) };
  }
}
