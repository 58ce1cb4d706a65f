import type { ByteString } from '@cofre/shared/bytes';

/** A catalog path cut into the folder and the name in it. */
export interface PathParts {
  /** `''` for the target itself. */
  readonly folder: ByteString;
  readonly name: ByteString;
}

/** Cuts off the last component. Null when that is none that may be made; the folder is not looked at. */
export function splitCatalogPath(path: ByteString): PathParts | null {
  const cut = path.lastIndexOf('/');
  // A path that begins with its only slash is absolute: its folder must not turn into the target itself.
  if (cut === 0) return null;
  const name = path.slice(cut + 1) as ByteString;
  return isSafeName(name) ? { folder: path.slice(0, Math.max(cut, 0)) as ByteString, name } : null;
}

/** Whether a name is one component that stays in its folder: not empty, `.`, `..`, and without `/` or NUL. */
export function isSafeName(name: ByteString): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

/** Whether a path stays below the target in all of its components. */
export function isSafeCatalogPath(path: ByteString): boolean {
  return path.split('/').every((name) => isSafeName(name as ByteString));
}
