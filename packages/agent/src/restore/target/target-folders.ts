import type { ByteString } from '@cofre/shared/bytes';
import { getExtendedAttribute, removeExtendedAttribute } from '../../platform/extended-attributes.ts';
import type { FolderHandle } from '../../platform/folder-handle.ts';
import { makeFolderAt } from '../../platform/posix.ts';
import { systemError, systemErrorCode } from '../../platform/system-error.ts';
import { splitCatalogPath } from './catalog-path.ts';
import { ACCESS_ACL, DEFAULT_ACL } from './posix-acl.ts';
import type { TargetProblemKind } from './target.ts';

/** An open folder of the target. Its handle is valid until another folder is opened, or while it is pinned. */
export interface TargetFolder {
  readonly path: ByteString;
  readonly handle: FolderHandle;
  /** Made by this restore: only what this restore has put there can be in it. */
  readonly isFresh: boolean;
  /** What is made in it gets ACLs from it. */
  readonly inheritsAcl: boolean;
}

interface HeldFolder extends TargetFolder {
  pins: number;
}

/** Why a folder is left out with all below it. */
export type LeftOutReason = Extract<TargetProblemKind, 'kept-existing' | 'not-restored'>;

const OPEN_FOLDERS_MAX = 256;
const EINVAL = 22;

/**
 * The folders of a target, opened by catalog path: component by component from the target down, never
 * through a link. Some hundred stay open, so that neighbours cost nothing and deep trees don't use up
 * descriptors. Folders that nobody added are made on the way (`0755`, for whoever restores).
 */
export class TargetFolders {
  readonly #root: HeldFolder;
  readonly #held = new Map<ByteString, HeldFolder>();
  /** Folders that were there before; all others are fresh. */
  readonly #joined = new Set<ByteString>();
  /** Folders that this restore made inside of joined ones. */
  readonly #made = new Set<ByteString>();
  readonly #leftOut = new Map<ByteString, LeftOutReason>();
  /** Under which name something was restored, where it is not its own. */
  readonly #actualNames = new Map<ByteString, ByteString>();

  constructor(root: FolderHandle, isEmpty: boolean) {
    const path = '' as ByteString;
    this.#root = { path, handle: root, isFresh: isEmpty, inheritsAcl: hasDefaultAcl(root), pins: 1 };
  }

  /** The folder, or why it was left out. Throws system errors; EINVAL for unsafe paths. */
  open(path: ByteString): TargetFolder | LeftOutReason {
    const missing: ByteString[] = [];
    let current: ByteString = path;
    let folder = this.#lookUp(current);
    while (folder === undefined) {
      const reason = this.#leftOut.get(current);
      if (reason !== undefined) return reason;
      missing.push(current);
      current = partsOf(current).folder;
      folder = this.#lookUp(current);
    }
    for (const next of missing.reverse()) folder = this.#step(folder, next);
    return folder;
  }

  /** Keeps the folder open until as many calls of {@link unpin}. */
  pin(folder: TargetFolder): void {
    const held = this.#lookUp(folder.path);
    if (held !== undefined) held.pins++;
  }

  unpin(path: ByteString): void {
    const held = this.#lookUp(path);
    if (held !== undefined) held.pins--;
  }

  /** Says that a folder was found there: it is joined, unless this restore made it. */
  markFound(path: ByteString): void {
    if (!this.#made.has(path)) this.#joined.add(path);
  }

  isJoined(path: ByteString): boolean {
    return path === '' ? !this.#root.isFresh : this.#joined.has(path);
  }

  /** Leaves out a folder and everything below it. */
  leaveOut(path: ByteString, reason: LeftOutReason): void {
    this.#leftOut.set(path, reason);
  }

  setActualName(path: ByteString, name: ByteString): void {
    this.#actualNames.set(path, name);
  }

  actualName(path: ByteString): ByteString {
    return this.#actualNames.get(path) ?? partsOf(path).name;
  }

  /** Makes the folder `path` in `parent`; throws EEXIST when something has its name. */
  make(parent: TargetFolder, path: ByteString, mode = 0o700): void {
    const name = this.actualName(path);
    makeFolderAt(parent.handle.fd, name, mode);
    if (!parent.isFresh) this.#made.add(path);
    if (!parent.inheritsAcl) return;
    for (const acl of [DEFAULT_ACL, ACCESS_ACL]) {
      try {
        removeExtendedAttribute(parent.handle.childPath(name), acl);
      } catch (error) {
        if (systemErrorCode(error) !== 'ENODATA') throw error;
      }
    }
  }

  close(): void {
    for (const { handle } of this.#held.values()) handle.close();
    this.#held.clear();
    this.#root.handle.close();
  }

  #lookUp(path: ByteString): HeldFolder | undefined {
    if (path === '') return this.#root;
    const held = this.#held.get(path);
    if (held !== undefined) {
      // Last used is last in the map, and the first one is given up first.
      this.#held.delete(path);
      this.#held.set(path, held);
    }
    return held;
  }

  #step(parent: TargetFolder, path: ByteString): HeldFolder {
    const handle = this.#openOrMake(parent, path);
    const isFresh = !this.#joined.has(path);
    const held = { path, handle, isFresh, inheritsAcl: !isFresh && hasDefaultAcl(handle), pins: 0 };
    this.#held.set(path, held);
    this.#giveUpOldest(held);
    return held;
  }

  #openOrMake(parent: TargetFolder, path: ByteString): FolderHandle {
    const name = this.actualName(path);
    try {
      return parent.handle.openFolder(name);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      this.make(parent, path, 0o755);
      return parent.handle.openFolder(name);
    }
  }

  /** Pinned ones stay, and the one that was opened for whoever asks: there may be more than the bound then. */
  #giveUpOldest(newest: HeldFolder): void {
    if (this.#held.size <= OPEN_FOLDERS_MAX) return;
    for (const [path, held] of this.#held) {
      if (held.pins > 0 || held === newest) continue;
      held.handle.close();
      this.#held.delete(path);
      return;
    }
  }
}

function partsOf(path: ByteString) {
  const parts = splitCatalogPath(path);
  if (parts === null) throw systemError(EINVAL, 'open', path);
  return parts;
}

function hasDefaultAcl(folder: FolderHandle): boolean {
  try {
    return getExtendedAttribute(folder.fd, DEFAULT_ACL) !== null;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOTSUP') return false;
    throw error;
  }
}
