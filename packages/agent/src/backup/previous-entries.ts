import type { ByteString } from '@cofre/shared/bytes';
import { subtreePrefix, type CatalogKey } from '@cofre/shared/catalog/catalog-key';
import type { KnownEntries, KnownEntry } from './known-entries.ts';

/** What is passed over in one go while it may have to be carried: the queue takes it up in between. */
const PASSED_MAX = 1024;

/**
 * The last run's entries, read in step with the walk: both are in catalog order. What the walk passes over
 * is gone, unless it lies where the walk could not look: that is handed to `carry`.
 */
export class PreviousEntries {
  private readonly entries: Iterator<KnownEntry> | null;
  private readonly carry: (entry: KnownEntry, reason: string) => void;
  /** Single paths that could not be looked at, by key. */
  private readonly unknownPaths = new Map<string, string>();
  /** By the prefix of all that lies in a folder: why it is unknown, or null where, inside of such, it is known. */
  private readonly folders = new Map<string, string | null>();
  private current: KnownEntry | null;

  constructor(
    cache: Pick<KnownEntries, 'entries'> | null,
    carry: (entry: KnownEntry, reason: string) => void,
  ) {
    this.entries = cache?.entries() ?? null;
    this.carry = carry;
    this.current = this.next();
  }

  /** Whether there is anything that the absence of a path does not prove. */
  get hasUnknown(): boolean {
    return this.unknownPaths.size > 0 || this.folders.size > 0;
  }

  /** Nothing is known of this path, nor of what lies below it. */
  markUnknown(path: ByteString, key: CatalogKey, reason: string): void {
    this.unknownPaths.set(key, reason);
    this.markContentUnknown(path, reason);
  }

  /** From the absence of something in this folder nothing is concluded. */
  markContentUnknown(path: ByteString, reason: string): void {
    this.folders.set(subtreePrefix(path), reason);
  }

  /** What lies below this path is what the walk will find there: nothing, where it is no folder. */
  markContentKnown(path: ByteString, key: CatalogKey): void {
    if (this.folders.size > 0 && this.reasonAbove(key) !== null) this.folders.set(subtreePrefix(path), null);
  }

  /**
   * Passes over some of the entries before `key` (null: all that are left), where any might be carried.
   * @returns whether there may be more of them
   */
  passSome(key: CatalogKey | null): boolean {
    if (!this.hasUnknown) return false;
    for (let count = 0; count < PASSED_MAX; count++) {
      if (this.current === null || (key !== null && this.current.key >= key)) return false;
      this.pass(this.current);
      this.current = this.next();
    }
    return true;
  }

  /** The entry of this key, if there was one; everything before it is dropped or carried. */
  advanceTo(key: CatalogKey): KnownEntry | null {
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

  private pass(entry: KnownEntry): void {
    if (!this.hasUnknown) return;
    const reason = this.unknownPaths.get(entry.key) ?? this.reasonAbove(entry.key);
    if (reason !== null) this.carry(entry, reason);
  }

  /** Why nothing can be concluded from the absence of a key: what the nearest folder above it has to say counts. */
  private reasonAbove(key: CatalogKey): string | null {
    let prefix = key.slice(0, Math.max(0, key.lastIndexOf('\0')));
    for (;;) {
      const reason = this.folders.get(prefix);
      if (reason !== undefined) return reason;
      if (prefix === '') return null;
      prefix = prefix.slice(0, prefix.lastIndexOf('\0', prefix.length - 2) + 1);
    }
  }

  private next(): KnownEntry | null {
    const result = this.entries?.next();
    return result === undefined || result.done === true ? null : result.value;
  }
}
