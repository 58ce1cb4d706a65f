import type { ByteString } from '@cofre/shared/bytes';
import { diffCatalogs } from '@cofre/shared/catalog/catalog-diff';
import type { CatalogItem } from '@cofre/shared/catalog/catalog-reader';
import type { OnLost } from '@cofre/shared/catalog/lost-range';
import { encodeEntryMetadata, type EntryMetadata } from '@cofre/shared/catalog/entry-codec';
import type { ReadableSnapshot } from '../vault-reader/snapshot.ts';
import type { VaultReader } from '../vault-reader/vault-reader.ts';

/**
 * - `type`: a file became a folder, and the like; nothing else is compared then
 * - `content`: other bytes, or another target of a link
 * - `metadata`: mode, owner, times, attributes, flags, or being a hard link
 */
export type ChangeKind = 'type' | 'content' | 'metadata';

/** A path that is not the same in two snapshots. */
export type SnapshotDifference =
  | { readonly kind: 'added'; readonly path: ByteString; readonly after: CatalogItem }
  | { readonly kind: 'removed'; readonly path: ByteString; readonly before: CatalogItem }
  | {
      readonly kind: 'changed';
      readonly path: ByteString;
      readonly before: CatalogItem;
      readonly after: CatalogItem;
      readonly changes: readonly ChangeKind[];
    };

/**
 * What changed from one snapshot to another, in catalog order. Within a domain the cost follows the
 * difference, and content is the same when it lies in the same chunks. Between domains everything is read,
 * and the content of files counts as the same when size and modification time are: chunks have other names
 * there. When a file was read last is not looked at. Of entries that one of them has lost nothing is said but that.
 */
export async function* diffSnapshots(
  vault: VaultReader,
  before: ReadableSnapshot,
  after: ReadableSnapshot,
  onLost: OnLost | null = null,
): AsyncGenerator<SnapshotDifference> {
  const isOneDomain = before.manifest.domainId === after.manifest.domainId;
  const [left, right] = [await vault.catalog(before, onLost), await vault.catalog(after, onLost)];
  for await (const { before: a, after: b } of diffCatalogs(left, right)) {
    if (a !== null && b !== null) {
      const changes = changesBetween(a, b, isOneDomain);
      if (changes.length > 0) yield { kind: 'changed', path: b.path, before: a, after: b, changes };
    } else if (a !== null) yield { kind: 'removed', path: a.path, before: a };
    else if (b !== null) yield { kind: 'added', path: b.path, after: b };
  }
}

function changesBetween(a: CatalogItem, b: CatalogItem, isOneDomain: boolean): ChangeKind[] {
  if (a.entry.type !== b.entry.type) return ['type'];
  const changes: ChangeKind[] = [];
  const isSameContent = isOneDomain ? hasSameChunks(a, b) : isProbablySame(a.entry, b.entry);
  if (!isSameContent || a.entry.linkTarget !== b.entry.linkTarget) changes.push('content');
  if (!comparableMetadata(a.entry).equals(comparableMetadata(b.entry))) changes.push('metadata');
  return changes;
}

/** Holes are content that no chunk holds. */
function hasSameChunks(a: CatalogItem, b: CatalogItem): boolean {
  const contentOf = ({ content, leaf, entry }: CatalogItem) =>
    JSON.stringify([content, leaf.namedStreams, entry.size, entry.holes ?? []]);
  return contentOf(a) === contentOf(b);
}

function isProbablySame(a: EntryMetadata, b: EntryMetadata): boolean {
  return a.type !== 'file' || (a.size === b.size && a.mtimeNs === b.mtimeNs);
}

/** What is neither type nor content, as bytes. */
function comparableMetadata(entry: EntryMetadata): Buffer {
  const { atimeNs: _, linkTarget: __, holes: ___, ...rest } = entry;
  return encodeEntryMetadata({ ...rest, type: 'file', size: 0 });
}
