import type { CatalogKey } from '@cofre/shared/catalog/catalog-key';
import type { CachedEntry } from './cache/set-cache.ts';
import type { EntrySource } from './cache/entry-file.ts';
import { isSameFingerprint } from './fingerprint.ts';

/** What is known of the source from runs before this one. */
export interface KnownParts {
  /** What an interrupted run of this kind read already. */
  readonly journal: EntrySource | null;
  /** The last run that was finished. */
  readonly last: EntrySource | null;
  /** The last full run: what changed since then has to be read again. Null for a run that compares with the last one. */
  readonly full: EntrySource | null;
  /** Nothing but the journal spares the reading of a file. */
  readonly readsEverything: boolean;
  /** Whether everything that an entry refers to is on the server. */
  readonly isUsable: (entry: CachedEntry) => boolean;
}

/** An entry of an earlier run. What it says is good enough to be carried on; an outdated one has to be read again. */
export interface KnownEntry extends CachedEntry {
  readonly isOutdated?: boolean;
  /** What an interrupted run read: how it differs from what the last finished one had. */
  readonly sinceLast?: 'new' | 'changed';
}

/** All that is known, one entry a path, in order: what was read last, as far as the server has it. */
export class KnownEntries {
  private readonly parts: KnownParts;

  constructor(parts: KnownParts) {
    this.parts = parts;
  }

  *entries(): Generator<KnownEntry> {
    const { journal, last, full, isUsable } = this.parts;
    const [inJournal, inLast, inFull] = [journal, last, full].map((source) => new Cursor(source)) as [
      Cursor,
      Cursor,
      Cursor,
    ];
    for (;;) {
      const key = lowest([inJournal.key, inLast.key, inFull.key]);
      if (key === null) return;
      const read = inJournal.take(key);
      const lastOne = inLast.take(key);
      const fullOne = inFull.take(key);
      if (read !== null && isUsable(read)) yield comparedWith(lastOne, read);
      else if (lastOne !== null)
        yield this.isCurrent(lastOne, fullOne) ? lastOne : { ...lastOne, isOutdated: true };
      else if (fullOne !== null) yield fullOne;
    }
  }

  /** The entry of a key that {@link entries} has passed already. */
  find(key: CatalogKey): CachedEntry | null {
    const { journal, last, full, isUsable } = this.parts;
    const read = journal?.find(key) ?? null;
    if (read !== null && isUsable(read)) return read;
    return last?.find(key) ?? full?.find(key) ?? null;
  }

  private isCurrent(last: CachedEntry, full: CachedEntry | null): boolean {
    if (this.parts.readsEverything) return false;
    if (this.parts.full === null) return true;
    return full !== null && isSameFingerprint(full.fingerprint, last.fingerprint);
  }
}

function comparedWith(last: CachedEntry | null, read: CachedEntry): KnownEntry {
  if (last === null) return { ...read, sinceLast: 'new' };
  return isSameFingerprint(last.fingerprint, read.fingerprint) ? read : { ...read, sinceLast: 'changed' };
}

/** A source, one entry ahead. */
class Cursor {
  private readonly entries: Iterator<CachedEntry> | undefined;
  private current: CachedEntry | null;

  constructor(source: EntrySource | null) {
    this.entries = source?.entries();
    this.current = this.next();
  }

  get key(): CatalogKey | null {
    return this.current?.key ?? null;
  }

  take(key: CatalogKey): CachedEntry | null {
    if (this.current?.key !== key) return null;
    const taken = this.current;
    this.current = this.next();
    return taken;
  }

  private next(): CachedEntry | null {
    const result = this.entries?.next();
    return result === undefined || result.done === true ? null : result.value;
  }
}

function lowest(keys: readonly (CatalogKey | null)[]): CatalogKey | null {
  let least: CatalogKey | null = null;
  for (const key of keys) if (key !== null && (least === null || key < least)) least = key;
  return least;
}
