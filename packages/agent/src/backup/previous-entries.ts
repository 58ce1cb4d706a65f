import { subtreePrefix, type CatalogKey } from '@cofre/shared/catalog/catalog-key';
import type { ByteString } from '@cofre/shared/bytes';
import type { CachedEntry, SetCacheReader } from './cache/set-cache.ts';

/**
 * The last run's entries, read in step with the walk: both are in catalog order. What the walk passes over
 * is gone, unless it lies where the walk could not look: that is handed to `carry`.
 */
export class PreviousEntries {
  private readonly entries: Iterator<CachedEntry> | null;
  private readonly carry: (entry: CachedEntry, reason: string) => void;
  private readonly unknown: { readonly prefix: string; readonly own: string; readonly reason: string }[] = [];
  private current: CachedEntry | null;

  constructor(cache: SetCacheReader | null, carry: (entry: CachedEntry, reason: string) => void) {
    this.entries = cache?.entries() ?? null;
    this.carry = carry;
    this.current = this.next();
  }

  /** From now on nothing is concluded from the absence of a path, or of what lies below it. */
  markUnknown(path: ByteString, key: CatalogKey, reason: string): void {
    this.unknown.push({ prefix: subtreePrefix(path), own: key, reason });
  }

  /** The entry of this key, if there was one; everything before it is dropped or carried. */
  advanceTo(key: CatalogKey): CachedEntry | null {
    while (this.current !== null && this.current.key < key) {
      this.pass(this.current);
      this.current = this.next();
    }
    if (this.current?.key !== key) return null;
    const found = this.current;
    this.current = this.next();
    return found;
  }

  /** The walk is at its end. */
  finish(): void {
    for (; this.current !== null; this.current = this.next()) this.pass(this.current);
  }

  private pass(entry: CachedEntry): void {
    for (const { prefix, own, reason } of this.unknown) {
      if (entry.key === own || entry.key.startsWith(prefix)) {
        this.carry(entry, reason);
        return;
      }
    }
  }

  private next(): CachedEntry | null {
    const result = this.entries?.next();
    return result === undefined || result.done === true ? null : result.value;
  }
}
