import type { ByteString } from '@cofre/shared/bytes';
import { FolderHandle } from '../platform/folder-handle.ts';
import { FolderStack } from '../platform/folder-stack.ts';
import type { WalkItem } from './walk-item.ts';
import { treeOfRoots } from './walk-roots.ts';
import { Walker } from './walker.ts';

export interface WalkOptions {
  /** Stay on the file system of each root: a mount point is kept as an empty folder. */
  readonly oneFileSystem?: boolean;
  /** Of a folder that is marked by a CACHEDIR.TAG keep the folder and the tag only. */
  readonly excludeCaches?: boolean;
  /**
   * Asked once for each path (without leading slash); what is excluded has no item, and an excluded folder
   * is not entered. Roots are asked for as well, folders above them are not.
   */
  readonly isExcluded?: (path: ByteString, isDirectory: boolean) => boolean;
  /** Absolute paths of the agent's own files and folders, which are known by identity, not by name. */
  readonly ownPaths?: readonly ByteString[];
}

/** After this much work the walk gives way, so that it may run on a thread that has other things to do. */
const SLICE_MS = 5;
const BATCH_ITEMS_MAX = 1024;
const STEPS_BETWEEN_CLOCK_READS = 32;

/**
 * Walks absolute paths and gives what is there in catalog order: the children of a folder come together, in
 * byte order of their names, and after them, in the same order, what lies in each of its folders. Folders
 * above a root come too, each once, however the roots are nested.
 *
 * Symbolic links are not followed, a root's own last component included; in the folders above a root they
 * are, since the user named the root by them. Nothing throws for what cannot be read: that gives a problem,
 * and the walk goes on. What vanishes between being listed and looked at is not told unless it is a root.
 *
 * Synchronous: a batch comes after at most about 5 ms of work (listing one very large folder takes longer)
 * and may be empty. Memory is bounded by the depth of the tree and its largest folder. End it with
 * `return()`, or by leaving the `for` loop, to close its descriptors.
 */
export function* walk(
  roots: readonly ByteString[],
  options: WalkOptions = {},
): Generator<WalkItem[], void, undefined> {
  const tree = treeOfRoots(roots);
  using stack = new FolderStack(FolderHandle.open('/' as ByteString));
  const walker = new Walker(stack, tree, options);
  let steps = 0;
  let sliceStart = performance.now();
  while (walker.step()) {
    const isClockDue = ++steps % STEPS_BETWEEN_CLOCK_READS === 0;
    if (walker.batchLength >= BATCH_ITEMS_MAX || (isClockDue && performance.now() - sliceStart >= SLICE_MS)) {
      yield walker.takeBatch();
      sliceStart = performance.now();
    }
  }
  yield walker.takeBatch();
}
