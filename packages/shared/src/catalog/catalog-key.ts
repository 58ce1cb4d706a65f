import type { ByteString } from '../bytes.ts';
import { CofreError } from '../errors.ts';
import { LIMITS } from '../limits.ts';

/**
 * Where a path stands in a catalog. Paths are absolute without the leading slash (`home/ana/a.txt`), the
 * root is the empty path.
 *
 *     key = (each folder's name ‖ 0x00)* ‖ 0x00 ‖ own name        key of the root = empty
 *
 * Compared byte by byte, the entries of one folder lie together, in the order of their names, in front of
 * what is in its sub-folders. So browsing a folder is a range scan.
 */
export type CatalogKey = ByteString & { readonly catalogKey: unique symbol };

/** The key of a path. It is not checked: a path that no system has gives a key that {@link pathOfKey} refuses. */
export function catalogKey(path: ByteString): CatalogKey {
  if (path === '') return '' as CatalogKey;
  const lastSlash = path.lastIndexOf('/');
  const folders = lastSlash < 0 ? '' : `${path.slice(0, lastSlash).replaceAll('/', '\0')}\0`;
  return `${folders}\0${path.slice(lastSlash + 1)}` as CatalogKey;
}

/**
 * The path of a key.
 * @throws CofreError `damaged` for what no path has: empty names, `.` and `..`, slashes
 */
export function pathOfKey(key: CatalogKey): ByteString {
  if (key === '') return '' as ByteString;
  const separator = key.lastIndexOf('\0');
  const folders = key.slice(0, separator);
  const name = key.slice(separator + 1);
  const components = folders === '' ? [] : folders.slice(0, -1).split('\0');
  if (separator < 0 || (folders !== '' && !folders.endsWith('\0'))) refuse('a key is malformed');
  components.push(name);
  for (const component of components) checkComponent(component);
  return components.join('/') as ByteString;
}

/** All keys of what lies directly in a folder begin with this, and no others do. */
export function childrenPrefix(folder: ByteString): CatalogKey {
  return `${subtreePrefix(folder)}\0` as CatalogKey;
}

/** All keys of what lies in a folder, at whatever depth, begin with this (not the folder's own key). */
export function subtreePrefix(folder: ByteString): CatalogKey {
  return (folder === '' ? '' : `${folder.replaceAll('/', '\0')}\0`) as CatalogKey;
}

function checkComponent(component: string): void {
  if (component === '' || component === '.' || component === '..' || component.includes('/')) {
    refuse('a name is not allowed');
  }
  if (component.length > LIMITS.pathComponentBytesMax) refuse('a name is too long');
}

function refuse(problem: string): never {
  throw new CofreError('damaged', { what: 'A catalog', problem });
}
