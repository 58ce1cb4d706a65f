import type { ByteString } from '@cofre/shared/bytes';

/** The paths that a walk was asked for, as a tree by their components. */
export interface RootNode {
  /** Without leading slash. */
  readonly path: ByteString;
  isRoot: boolean;
  readonly children: Map<ByteString, RootNode>;
}

/**
 * Makes the tree of `roots`: absolute paths, in any order, nested or doubled. Doubled and trailing slashes
 * and `.` mean nothing. Throws a RangeError for a relative path, for `..` (which only a caller who knows
 * the links in between can resolve) and for NUL.
 */
export function treeOfRoots(roots: readonly ByteString[]): RootNode {
  const top = newNode('' as ByteString);
  for (const root of roots) {
    if (!root.startsWith('/')) throw new RangeError('a root to walk must be an absolute path');
    let node = top;
    for (const name of root.split('/') as ByteString[]) {
      if (name === '' || name === '.') continue;
      if (name === '..' || name.includes('\0')) throw new RangeError('a root to walk has ".." or NUL in it');
      node = childOf(node, name);
    }
    node.isRoot = true;
  }
  return top;
}

/** The roots at `node` and below it. */
export function* rootsIn(node: RootNode): Generator<RootNode> {
  if (node.isRoot) yield node;
  for (const child of node.children.values()) yield* rootsIn(child);
}

/** The roots below `node`, not itself. */
export function* rootsBelow(node: RootNode): Generator<RootNode> {
  for (const child of node.children.values()) yield* rootsIn(child);
}

function childOf(node: RootNode, name: ByteString): RootNode {
  const known = node.children.get(name);
  if (known !== undefined) return known;
  const child = newNode((node.path === '' ? name : `${node.path}/${name}`) as ByteString);
  node.children.set(name, child);
  return child;
}

function newNode(path: ByteString): RootNode {
  return { path, isRoot: false, children: new Map() };
}
