import type { ByteString } from '@cofre/shared/bytes';
import type { CatalogItem, CatalogReader } from '@cofre/shared/catalog/catalog-reader';
import { compileExcludes } from '../source/filters.ts';

/**
 * The entries of a snapshot that fit a pattern, in catalog order. Patterns are those of `--exclude`: without
 * a slash the name is matched, at whatever depth; with one in front the whole path; `**` stands for any
 * folders; one at the end asks for folders. Names are matched byte by byte.
 * @throws CofreError `usage` for a pattern that can't match as written
 */
export async function* findEntries(catalog: CatalogReader, pattern: ByteString): AsyncGenerator<CatalogItem> {
  // A leading "!" takes back in a list of exclusions; there is nothing to take back here, so it is a name.
  const literal = pattern.startsWith('!') ? `\\${pattern}` : pattern;
  const isMatch = compileExcludes([literal as ByteString]);
  for await (const item of catalog.all()) {
    if (isMatch(item.path, item.entry.type === 'directory')) yield item;
  }
}
