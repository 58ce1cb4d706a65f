import fs from 'node:fs';
import type { CatalogKey } from '@cofre/shared/catalog/catalog-key';
import { entriesOf, type CachedEntry } from './cached-entry.ts';
import { BlockReader } from './record-blocks.ts';

/** Entries by ascending keys, and single ones of those that were passed. */
export interface EntrySource {
  entries(): Generator<CachedEntry>;
  /** The entry of a key that {@link entries} has passed already. */
  find(key: CatalogKey): CachedEntry | null;
}

/** Reads the entries at the beginning of a file. Whatever is wrong with it ends it early. */
export class EntryFile implements EntrySource {
  private fd: number | null;
  private readonly end: number;
  /** Blocks that were read, by their first key. */
  private readonly index: { readonly firstKey: CatalogKey; readonly position: number }[] = [];

  /** @param end where the entries end in the file; whoever opened it closes it here */
  constructor(fd: number, end: number) {
    this.fd = fd;
    this.end = end;
  }

  /** A file of entries alone, as a run leaves it behind that was interrupted. Null where there is none. */
  static open(filePath: string): EntryFile | null {
    const fd = orNull(() => fs.openSync(filePath, 'r'));
    return fd === null ? null : new EntryFile(fd, fs.fstatSync(fd).size);
  }

  *entries(): Generator<CachedEntry> {
    let lastKey: string | null = null;
    this.index.length = 0;
    for (let position = 0; this.fd !== null;) {
      const blocks = new BlockReader(this.fd, position, this.end);
      const entries = orNull(() => entriesIn(blocks.next()));
      const [first] = entries ?? [];
      if (entries === null || first === undefined) return;
      this.index.push({ firstKey: first.key, position });
      for (const entry of entries) {
        if (lastKey !== null && entry.key <= lastKey) return;
        lastKey = entry.key;
        yield entry;
      }
      position = blocks.position;
    }
  }

  find(key: CatalogKey): CachedEntry | null {
    const position = this.blockOf(key);
    if (position === null || this.fd === null) return null;
    const blocks = new BlockReader(this.fd, position, this.end);
    const entries = orNull(() => entriesIn(blocks.next()));
    return entries?.find((entry) => entry.key === key) ?? null;
  }

  close(): void {
    if (this.fd === null) return;
    const { fd } = this;
    this.fd = null;
    fs.closeSync(fd);
  }

  /** Where the block is that would hold a key, by bisection. */
  private blockOf(key: CatalogKey): number | null {
    let low = 0;
    let high = this.index.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.index[middle]?.firstKey ?? '') <= key) low = middle + 1;
      else high = middle;
    }
    return this.index[low - 1]?.position ?? null;
  }
}

function entriesIn(block: Buffer | null): CachedEntry[] | null {
  return block === null ? null : [...entriesOf(block)];
}

/** A cache that cannot be read is none: what it knew is found out anew. */
export function orNull<Value>(attempt: () => Value): Value | null {
  try {
    return attempt();
  } catch {
    return null;
  }
}
