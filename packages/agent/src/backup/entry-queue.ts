import type { CatalogKey } from '@cofre/shared/catalog/catalog-key';
import type { EntryType, Slice } from '@cofre/shared/format/entry';

/** An entry as it goes into the catalog and the cache. */
export interface FinishedEntry {
  readonly key: CatalogKey;
  readonly fingerprint: Buffer;
  /** `encodeEntryMetadata` */
  readonly metadata: Buffer;
  readonly hardLinkTo: string;
  readonly slices: readonly Slice[];
  readonly kind: 'file' | 'folder' | 'other';
  readonly sizeBytes: number;
}

/** What an entry counts as. */
export function kindOf(type: EntryType): FinishedEntry['kind'] {
  if (type === 'directory') return 'folder';
  return type === 'file' ? 'file' : 'other';
}

/** A place in the order of the catalog: not known yet (undefined), or null when nothing comes for it. */
interface Slot {
  value: FinishedEntry | null | undefined;
}

/**
 * Keeps entries in the order of the walk while workers finish files in any order. What is at the front and
 * finished can be taken. Whoever fills the queue bounds it, and sees to it that the entry at the front comes.
 */
export class EntryQueue {
  private slots: Slot[] = [];
  private first = 0;
  private taken = 0;
  /** Something happened that {@link change} has not told yet: a change between two calls must not be lost. */
  private hasChanged = false;
  private waiting: (() => void)[] = [];

  /** Places that were ever given: grows by one with each. */
  get end(): number {
    return this.taken + this.length;
  }

  get length(): number {
    return this.slots.length - this.first;
  }

  push(entry: FinishedEntry): void {
    this.slots.push({ value: entry });
  }

  /** Keeps a place; call what it gives when the entry is known. */
  reserve(): (entry: FinishedEntry | null) => void {
    const slot: Slot = { value: undefined };
    this.slots.push(slot);
    return (entry) => {
      slot.value = entry;
      this.notify();
    };
  }

  /** Resolves when a place became known, or {@link notify} was called, since it last resolved. */
  async change(): Promise<void> {
    while (!this.hasChanged) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.hasChanged = false;
  }

  notify(): void {
    this.hasChanged = true;
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** The next entry in order, or null when the next one is not finished yet. */
  take(): FinishedEntry | null {
    while (this.first < this.slots.length) {
      const slot = this.slots[this.first] as Slot;
      if (slot.value === undefined) return null;
      this.first += 1;
      this.taken += 1;
      if (this.first > 4096 && this.first * 2 > this.slots.length) {
        this.slots = this.slots.slice(this.first);
        this.first = 0;
      }
      if (slot.value !== null) return slot.value;
    }
    return null;
  }
}
