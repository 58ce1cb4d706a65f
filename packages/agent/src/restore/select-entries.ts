import type { ByteString } from '@cofre/shared/bytes';
import type { CatalogItem, CatalogReader } from '@cofre/shared/catalog/catalog-reader';
import { catalogKey, type CatalogKey } from '@cofre/shared/catalog/catalog-key';
import { CofreError } from '@cofre/shared/errors';
import type { LostEntries } from '../vault-reader/lost-entries.ts';
import { catalogPathOf, refusePath } from '../vault-reader/path-argument.ts';

/** A part of a catalog that is to be restored. */
export interface Selection {
  /** Whether it is the whole catalog. */
  readonly isEverything: boolean;
  /** Each entry once, a folder before what is in it, some hundred at a time; may be walked several times. */
  readonly batches: () => AsyncGenerator<readonly CatalogItem[]>;
}

/**
 * What is to be restored for `paths` (absolute, with or without the leading slash; none means everything):
 * each of them with all that lies below it, and the folders above it, for their metadata. Of an object with
 * several names, the first name that is selected gets the content, wherever the catalog keeps it. A path that is lost
 * may still have something below it.
 * @throws CofreError `path_not_found`
 */
export async function selectEntries(
  catalog: CatalogReader,
  paths: readonly ByteString[],
  lost: LostEntries,
): Promise<Selection> {
  const wanted = [...new Set(paths.map(catalogPathOf))];
  const found = new Map<ByteString, SelectedRoot>();
  for (const path of wanted) {
    if (path === '') continue;
    const key = catalogKey(path);
    const item = await catalog.find(path);
    if (item === null && !lost.has(key)) refusePath(path);
    found.set(path, { path, key, item });
  }
  if (found.size < wanted.length || wanted.length === 0) {
    return { isEverything: true, batches: () => catalog.batches() };
  }
  const roots = outermost(found);
  return { isEverything: false, batches: () => selectedEntries(catalog, roots, lost) };
}

interface SelectedRoot {
  readonly path: ByteString;
  readonly key: CatalogKey;
  /** Null when it is lost. */
  readonly item: CatalogItem | null;
}

async function* selectedEntries(
  catalog: CatalogReader,
  roots: readonly SelectedRoot[],
  lost: LostEntries,
): AsyncGenerator<readonly CatalogItem[]> {
  const rootPaths = new Set(roots.map(({ path }) => path));
  const links = new LinkResolver(catalog, (path) => isInside(path, rootPaths), lost);
  const foldersGiven = new Set<ByteString>();
  for (const root of roots) {
    const first: CatalogItem[] = [];
    for (const folder of foldersAbove(root.path)) {
      if (foldersGiven.has(folder)) continue;
      foldersGiven.add(folder);
      const item = await catalog.find(folder);
      if (item !== null) first.push(item);
    }
    yield root.item === null ? first : [...first, await links.resolve(root.item)];
    if (root.item !== null && root.item.entry.type !== 'directory') continue;
    for await (const items of catalog.batches(root.path)) yield await links.resolveAll(items);
  }
}

/** Gives content to further names of objects whose first name, which has it, is not selected. */
class LinkResolver {
  readonly #catalog: CatalogReader;
  readonly #isSelected: (path: ByteString) => boolean;
  readonly #lost: LostEntries;
  /** First names that are not selected → the names that stand in for them. */
  readonly #standIns = new Map<ByteString, ByteString>();

  constructor(catalog: CatalogReader, isSelected: (path: ByteString) => boolean, lost: LostEntries) {
    this.#catalog = catalog;
    this.#isSelected = isSelected;
    this.#lost = lost;
  }

  async resolveAll(items: readonly CatalogItem[]): Promise<readonly CatalogItem[]> {
    if (items.every(({ entry }) => entry.hardLinkTo === undefined)) return items;
    const resolved: CatalogItem[] = [];
    for (const item of items) resolved.push(await this.resolve(item));
    return resolved;
  }

  async resolve(item: CatalogItem): Promise<CatalogItem> {
    const first = item.entry.hardLinkTo;
    if (first === undefined || this.#isSelected(first)) return item;
    const standIn = this.#standIns.get(first);
    if (standIn !== undefined) return { ...item, entry: { ...item.entry, hardLinkTo: standIn } };
    const source = await this.#catalog.find(first);
    if (source === null && this.#lost.has(catalogKey(first))) return item;
    if (source === null || source.entry.hardLinkTo !== undefined || source.entry.type === 'directory') {
      throw new CofreError('damaged', { what: 'A catalog', problem: 'a hard link leads to nothing' });
    }
    this.#standIns.set(first, item.path);
    return { ...source, path: item.path, key: item.key };
  }
}

/** Without what lies inside another, in catalog order. */
function outermost(found: ReadonlyMap<ByteString, SelectedRoot>): SelectedRoot[] {
  const roots = [...found.values()].filter(
    ({ path }) => !foldersAbove(path).some((folder) => found.has(folder)),
  );
  return roots.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function isInside(path: ByteString, roots: ReadonlySet<ByteString>): boolean {
  return roots.has(path) || foldersAbove(path).some((folder) => roots.has(folder));
}

/** From the root of the file system down to the folder of `path`. */
export function foldersAbove(path: ByteString): ByteString[] {
  if (path === '') return [];
  const folders = ['' as ByteString];
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    folders.push(path.slice(0, slash) as ByteString);
  }
  return folders;
}
