import { displayName } from '@cofre/shared/bytes';
import type { CatalogKey } from '@cofre/shared/catalog/catalog-key';
import { shownPathOf, type LostRange, type OnLost } from '@cofre/shared/catalog/lost-range';
import { CofreError } from '@cofre/shared/errors';
import type { ChunkId } from '@cofre/shared/ids';

/** What a catalog has lost, as far as it was read. */
export class LostEntries {
  readonly #tell: OnLost;
  readonly #nodes = new Set<ChunkId>();
  /** They do not overlap, as they are of one catalog, and lie in its order. */
  readonly #ranges: LostRange[] = [];

  /** @param tell called once for each range, however often the catalog is read */
  constructor(tell: OnLost) {
    this.#tell = tell;
  }

  /** For the reader of the catalog. */
  readonly note: OnLost = (range) => {
    if (this.#nodes.has(range.nodeId)) return;
    this.#nodes.add(range.nodeId);
    this.#ranges.splice(this.#placeOf(range.from), 0, range);
    this.#tell(range);
  };

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  get entryCount(): number {
    return this.#ranges.reduce((sum, { entryCount }) => sum + entryCount, 0);
  }

  /** Whether an entry of this key, if there was one, is lost. */
  has(key: CatalogKey): boolean {
    const range = this.#ranges[this.#placeOf(key) - 1];
    return range !== undefined && (range.before === null || key < range.before);
  }

  /** How whoever asked for the entries is told in the end; null when nothing is lost. */
  failure(): CofreError | null {
    const [first] = this.#ranges;
    if (first === undefined) return null;
    const count = this.entryCount;
    const path = `/${displayName(shownPathOf(first.from))}`;
    if (this.#ranges.every(({ error }) => error.code === 'unknown_format')) {
      const what = `A part of the catalog (${count} entries, the first is ${path})`;
      return new CofreError('unknown_format', { what, problem: 'everything else is there' });
    }
    return new CofreError('entries_lost', { count, path }, { cause: first.error });
  }

  /** For commands that are done with all the rest. @throws CofreError {@link failure} */
  throwIfAny(): void {
    const failure = this.failure();
    if (failure !== null) throw failure;
  }

  /** How many ranges begin at or before a key. */
  #placeOf(key: CatalogKey): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle] as LostRange).from <= key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
