import type { ByteString } from '@cofre/shared/bytes';
import type { CatalogItem, CatalogReader } from '@cofre/shared/catalog/catalog-reader';
import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import type { LostEntries } from '../vault-reader/lost-entries.ts';
import { catalogPathOf, refusePath } from '../vault-reader/path-argument.ts';

export interface ListOptions {
  /** Everything below, not only what lies directly in the folder. */
  readonly isRecursive: boolean;
  /** Where the catalog's reader tells what is lost: of a folder that is, what lies in it may be there. */
  readonly lost?: LostEntries;
}

/**
 * What a snapshot has in a folder, in catalog order and without the folder itself; a path that is no folder
 * is given alone. Only the part of the catalog that is asked for is fetched.
 * @throws CofreError `path_not_found`
 */
export async function* listFolder(
  catalog: CatalogReader,
  path: ByteString,
  { isRecursive, lost }: ListOptions,
): AsyncGenerator<CatalogItem> {
  const folder = catalogPathOf(path);
  // A snapshot without the root of the file system as an entry still has something in it.
  const item = await catalog.find(folder);
  const mayBeThere = folder === '' || lost?.has(catalogKey(folder)) === true;
  if (item === null && !mayBeThere) refusePath(path);
  if (item !== null && item.entry.type !== 'directory') yield item;
  else yield* isRecursive ? catalog.subtree(folder) : catalog.children(folder);
}
