import type { ByteString } from '@cofre/shared/bytes';
import type { PathPredicate } from '../source/filters.ts';

/**
 * Whether a path belongs to what is backed up, as the walk would decide it: it lies at or below one of the roots, and
 * neither it nor a folder between is excluded.
 */
export function wantedPaths(
  roots: readonly ByteString[],
  isExcluded: PathPredicate,
): (path: ByteString, isFolder: boolean) => boolean {
  const known = new Set<string>(roots.map((root) => root.split('/').filter(isComponent).join('/')));
  return (path, isFolder) => {
    let current = path;
    for (let isDirectory = isFolder; ; isDirectory = true) {
      // Nobody asks whether the root of the file system is excluded.
      if (current === '') return known.has('');
      if (isExcluded(current, isDirectory)) return false;
      if (known.has(current)) return true;
      current = current.slice(0, Math.max(0, current.lastIndexOf('/'))) as ByteString;
    }
  };
}

function isComponent(name: string): boolean {
  return name !== '' && name !== '.';
}
