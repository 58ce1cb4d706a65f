import type { ByteString } from '@cofre/shared/bytes';
import { followedStatusAt, statusAt, statusOf, statusOfPath } from '../platform/file-status.ts';
import type { FileStatus } from '../platform/file-status.ts';
import type { LinkPolicy } from '../platform/folder-handle.ts';
import { listFolder } from '../platform/folder-listing.ts';
import type { FolderStack } from '../platform/folder-stack.ts';
import { NameList } from '../platform/name-list.ts';
import { systemErrorCode } from '../platform/system-error.ts';
import { CACHE_TAG_NAME, hasCacheTag } from './cache-tag.ts';
import type { SkipReason, WalkItem } from './walk-item.ts';
import type { WalkOptions } from './walk.ts';
import { rootsBelow, rootsIn } from './walk-roots.ts';
import type { RootNode } from './walk-roots.ts';

/** Of a folder of which all names were looked at. */
const NO_NAMES = new NameList();

/** A folder that was met and is to be entered. */
interface Subfolder {
  readonly name: ByteString;
  readonly links: LinkPolicy;
  /** Whether all of its content is wanted, or only what leads to roots. */
  readonly isWhole: boolean;
  /** The file system of the root that it belongs to. */
  readonly rootDeviceId: bigint;
  /** Where it stands in the tree of roots; undefined when no root lies at it or below. */
  readonly node: RootNode | undefined;
}

/** A folder that was entered: first all of its names are looked at, then its folders are entered. */
interface Frame extends Subfolder {
  readonly prefix: string;
  names: NameList;
  nextName: number;
  readonly subfolders: Subfolder[];
  nextSubfolder: number;
}

/** One name in the folder that is worked on. */
interface Child {
  readonly name: ByteString;
  readonly path: ByteString;
  readonly node: RootNode | undefined;
}

/** The work of a walk in small steps, so that it can be left and taken up between any two of them. */
export class Walker {
  readonly #stack: FolderStack;
  readonly #options: WalkOptions;
  readonly #ownInodes: ReadonlyMap<bigint, bigint>;
  readonly #frames: Frame[] = [];
  #batch: WalkItem[] = [];

  /** `stack` is at the root of the file system. */
  constructor(stack: FolderStack, roots: RootNode, options: WalkOptions) {
    this.#stack = stack;
    this.#options = options;
    this.#ownInodes = inodesOf(options.ownPaths ?? []);
    const status = statusOf(stack.current.fd);
    const name = '' as ByteString;
    this.#batch.push({ kind: 'entry', path: name, status, ancestor: !roots.isRoot });
    const rootDeviceId = status.deviceId;
    this.#openFrame({ name, links: 'refuse', isWhole: roots.isRoot, rootDeviceId, node: roots }, name);
  }

  get batchLength(): number {
    return this.#batch.length;
  }

  takeBatch(): WalkItem[] {
    const batch = this.#batch;
    this.#batch = [];
    return batch;
  }

  /** Looks at one name or enters one folder; false when nothing is left to do. */
  step(): boolean {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return false;
    if (frame.nextName < frame.names.length) {
      this.#visit(frame, frame.names.at(frame.nextName++));
      return true;
    }
    frame.names = NO_NAMES;
    frame.nextName = 0;
    const subfolder = frame.subfolders[frame.nextSubfolder++];
    if (subfolder !== undefined) {
      this.#enter(frame, subfolder);
      return true;
    }
    this.#frames.pop();
    if (this.#frames.length > 0) this.#stack.leave();
    return this.#frames.length > 0;
  }

  #enter(frame: Frame, subfolder: Subfolder): void {
    const path = (frame.prefix + subfolder.name) as ByteString;
    try {
      this.#stack.enter(subfolder.name, subfolder.links);
    } catch (error) {
      const code = codeOf(error);
      if (subfolder.isWhole) this.#cannotList(path, subfolder, code);
      if (subfolder.node !== undefined) this.#cannotReach(rootsBelow(subfolder.node), code);
      return;
    }
    this.#openFrame(subfolder, path);
  }

  /** Lists the folder that was just entered. */
  #openFrame(subfolder: Subfolder, path: ByteString): void {
    const names = subfolder.isWhole ? this.#listWhole(subfolder, path) : new NameList();
    const roots = [...(subfolder.node?.children.keys() ?? [])].filter((name) => !names.has(name));
    if (roots.length > 0) names.addAll(roots);
    const prefix = path === '' ? '' : `${path}/`;
    this.#frames.push({ ...subfolder, prefix, names, nextName: 0, subfolders: [], nextSubfolder: 0 });
  }

  #listWhole(subfolder: Subfolder, path: ByteString): NameList {
    const folder = this.#stack.current;
    // An automount has its own file system only now that it was entered.
    if (this.#options.oneFileSystem === true && statusOf(folder.fd).deviceId !== subfolder.rootDeviceId) {
      this.#skip(path, 'other-file-system');
      return new NameList();
    }
    const { names, error } = listFolder(folder);
    if (error !== undefined) this.#cannotList(path, subfolder, codeOf(error));
    if (this.#options.excludeCaches === true && names.has(CACHE_TAG_NAME) && hasCacheTag(folder)) {
      this.#skip(path, 'cache');
      return NameList.of([CACHE_TAG_NAME]);
    }
    return names;
  }

  #visit(frame: Frame, name: ByteString): void {
    const path = (frame.prefix + name) as ByteString;
    const node = frame.node?.children.get(name);
    const child = { name, path, node };
    let status: FileStatus;
    try {
      status = statusAt(this.#stack.current, name);
    } catch (error) {
      this.#cannotSee(child, codeOf(error));
      return;
    }
    const isWanted = this.#isWanted(frame, child, status);
    const leadsOn = node !== undefined && node.children.size > 0;
    if (leadsOn && (!isWanted || status.type === 'symlink')) {
      this.#leadThrough(frame, { ...child, node }, status, isWanted);
    } else if (isWanted) {
      this.#keep(frame, child, status);
    }
  }

  #isWanted(frame: Frame, { path, node }: Child, status: FileStatus): boolean {
    const isRoot = node?.isRoot === true;
    if (!isRoot && !frame.isWhole) return false;
    if (this.#ownInodes.size > 0 && this.#ownInodes.get(status.inode) === status.deviceId) {
      this.#skip(path, 'own-state');
      return false;
    }
    const isExcluded = this.#options.isExcluded?.(path, status.type === 'directory') === true;
    if (isExcluded && isRoot) this.#skip(path, 'excluded');
    return !isExcluded;
  }

  #keep(frame: Frame, { name, path, node }: Child, status: FileStatus): void {
    if (status.type === 'socket' || status.type === 'unknown') {
      this.#skip(path, status.type === 'socket' ? 'socket' : 'unknown-type');
    } else {
      this.#batch.push({ kind: 'entry', path, status, ancestor: false });
    }
    if (status.type !== 'directory') {
      if (node !== undefined) this.#cannotReach(rootsBelow(node), 'ENOTDIR');
      return;
    }
    const isRoot = node?.isRoot === true;
    const isWhole = isRoot || this.#options.oneFileSystem !== true || status.deviceId === frame.rootDeviceId;
    if (!isWhole) this.#skip(path, 'other-file-system');
    if (isWhole || node !== undefined) {
      const rootDeviceId = isRoot ? status.deviceId : frame.rootDeviceId;
      frame.subfolders.push({ name, links: 'refuse', isWhole, rootDeviceId, node });
    }
  }

  /** For what is not wanted itself, or cannot be kept as it is, because roots lie behind it. */
  #leadThrough(frame: Frame, child: Child & { node: RootNode }, status: FileStatus, isWanted: boolean): void {
    const { name, path, node } = child;
    let folder = status;
    let code = 'ENOTDIR';
    try {
      if (status.type === 'symlink') folder = followedStatusAt(this.#stack.current, name);
    } catch (error) {
      code = codeOf(error);
    }
    if (folder.type !== 'directory') {
      if (isWanted) this.#keep(frame, { name, path, node: undefined }, status);
      this.#cannotReach(rootsBelow(node), code);
      return;
    }
    if (isWanted) this.#skip(path, 'link-to-root');
    this.#batch.push({ kind: 'entry', path, status: folder, ancestor: true });
    const links = status.type === 'symlink' ? 'follow' : 'refuse';
    frame.subfolders.push({ name, links, isWhole: false, rootDeviceId: frame.rootDeviceId, node });
  }

  #cannotSee({ path, node }: Child, code: string): void {
    if (node !== undefined) {
      this.#cannotReach(rootsIn(node), code);
      return;
    }
    // What has gone since the folder was listed was not there; what is excluded is nobody's concern.
    const isExcluded = this.#options.isExcluded;
    if (code === 'ENOENT' || isExcluded?.(path, false) === true || isExcluded?.(path, true) === true) return;
    this.#batch.push({ kind: 'problem', path, step: 'status', code, isRoot: false });
  }

  #cannotList(path: ByteString, { node }: Subfolder, code: string): void {
    this.#batch.push({ kind: 'problem', path, step: 'list', code, isRoot: node?.isRoot === true });
  }

  #cannotReach(roots: Iterable<RootNode>, code: string): void {
    for (const { path } of roots) {
      this.#batch.push({ kind: 'problem', path, step: 'status', code, isRoot: true });
    }
  }

  #skip(path: ByteString, reason: SkipReason): void {
    this.#batch.push({ kind: 'skipped', path, reason });
  }
}

/** Inode to file system of each path that exists. */
function inodesOf(paths: readonly ByteString[]): ReadonlyMap<bigint, bigint> {
  const inodes = new Map<bigint, bigint>();
  for (const path of paths) {
    try {
      const { inode, deviceId } = statusOfPath(path);
      inodes.set(inode, deviceId);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
  return inodes;
}

/** The code of a system error; any other error is a fault of the program and goes on. */
function codeOf(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return code;
}
