import type { ByteString } from '@cofre/shared/bytes';
import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import type { CatalogItem } from '@cofre/shared/catalog/catalog-reader';
import type { LostEntries } from '../vault-reader/lost-entries.ts';
import type { RestoreTally } from './restore-tally.ts';
import { foldersAbove } from './select-entries.ts';
import type { RestoreTarget } from './target/target.ts';

/** Makes up for entries that the catalog has lost where others need them: folders, and first names of files. */
export class LossRelief {
  readonly #lost: LostEntries;
  readonly #target: RestoreTarget;
  readonly #tally: RestoreTally;
  readonly #madeFolders = new Set<ByteString>();
  #lastFolder: ByteString | null = null;
  /** First names that are lost → the names that stand in for them. */
  readonly #standIns = new Map<ByteString, ByteString>();

  constructor(lost: LostEntries, target: RestoreTarget, tally: RestoreTally) {
    this.#lost = lost;
    this.#target = target;
    this.#tally = tally;
  }

  /** Makes those folders above a path that the catalog says nothing of any more. */
  makeFolders(path: ByteString): void {
    if (this.#lost.isEmpty) return;
    const folders = foldersAbove(path);
    const nearest = folders.at(-1) ?? null;
    if (nearest === this.#lastFolder) return;
    this.#lastFolder = nearest;
    for (const folder of folders) {
      if (folder === '' || this.#madeFolders.has(folder) || !this.#lost.has(catalogKey(folder))) continue;
      this.#madeFolders.add(folder);
      this.#target.addUnknownFolder(folder);
      this.#tally.folderUnknown(folder);
    }
  }

  /**
   * An entry as it can be restored. Of the further names of an object whose first one is lost, one that needs no
   * content but its own becomes the first; null, and told, for one that does.
   */
  resolve(item: CatalogItem): CatalogItem | null {
    const { hardLinkTo: first, ...entry } = item.entry;
    if (first === undefined || this.#lost.isEmpty || !this.#lost.has(catalogKey(first))) return item;
    const standIn = this.#standIns.get(first);
    if (standIn !== undefined) return { ...item, entry: { ...entry, hardLinkTo: standIn } };
    if (!hasItsContent(item)) {
      this.#tally.nameLost(item.path);
      return null;
    }
    this.#standIns.set(first, item.path);
    return { ...item, entry };
  }
}

/** Whether slices and holes make up the size: always for what has no content, never for a name that only refers. */
function hasItsContent({ entry, content }: CatalogItem): boolean {
  if (entry.type !== 'file' && entry.type !== 'stream') return true;
  let bytes = content.kind === 'list' ? content.list.length : 0;
  if (content.kind === 'slices') for (const { length } of content.slices) bytes += length;
  for (const { length } of entry.holes ?? []) bytes += length;
  return bytes === entry.size;
}
