import {
  itemOf,
  placesBelow,
  rootPlace,
  type CatalogItem,
  type CatalogReader,
  type NodePlace,
} from './catalog-reader.ts';
import type { CatalogKey } from './catalog-key.ts';
import type { LeafItem } from './node.ts';

/** One path that differs between two catalogs; `before` or `after` is null where it does not exist. */
export interface CatalogDifference {
  readonly before: CatalogItem | null;
  readonly after: CatalogItem | null;
}

/**
 * What differs between two catalogs of one domain, in catalog order. Nodes with the same id hold the same,
 * so shared parts are never fetched: the cost follows the difference. Where a reader tells what is lost, nothing
 * is said about the entries that may be in it.
 */
export async function* diffCatalogs(
  before: CatalogReader,
  after: CatalogReader,
): AsyncGenerator<CatalogDifference> {
  const left = new Cursor(before);
  const right = new Cursor(after);
  for (;;) {
    const [a, b] = [left.head(), right.head()];
    if (a === null && b === null) return;
    if (a?.kind === 'node' && b?.kind === 'node' && a.place.chunkId === b.place.chunkId) {
      left.skip();
      right.skip();
    } else if (a?.kind === 'lost' && isNext(a, b)) {
      await passLost(a, left, right);
    } else if (b?.kind === 'lost' && isNext(b, a)) {
      await passLost(b, right, left);
    } else if (a?.kind === 'node' && (b === null || keyOf(a) <= keyOf(b))) {
      await left.expand();
    } else if (b?.kind === 'node') {
      await right.expand();
    } else if (a?.kind === 'node') {
      await left.expand();
    } else {
      const difference = takeItems(left, right);
      if (difference !== null) yield difference;
    }
  }
}

/** Whether nothing of the other side comes before what is lost. */
function isNext({ from }: LostHead, other: Head | null): boolean {
  return other === null || keyOf(other) >= from;
}

/** Passes over what the other side has where one side is lost, one step at a time. */
async function passLost({ before }: LostHead, lost: Cursor, other: Cursor): Promise<void> {
  const head = other.head();
  const isBehind = head === null || (before !== null && keyOf(head) >= before);
  if (isBehind) lost.skip();
  else if (head.kind === 'node' && !endsBefore(head.place.before, before)) await other.expand();
  else if (head.kind === 'lost' && !endsBefore(head.before, before)) lost.skip();
  else other.skip();
}

function endsBefore(end: CatalogKey | null, before: CatalogKey | null): boolean {
  return before === null || (end !== null && end <= before);
}

function takeItems(left: Cursor, right: Cursor): CatalogDifference | null {
  const [a, b] = [left.headItem(), right.headItem()];
  if (a !== null && (b === null || a.key < b.key)) {
    left.skip();
    return { before: itemOf(a), after: null };
  }
  if (b !== null && (a === null || b.key < a.key)) {
    right.skip();
    return { before: null, after: itemOf(b) };
  }
  left.skip();
  right.skip();
  if (a === null || b === null || isSameItem(a, b)) return null;
  return { before: itemOf(a), after: itemOf(b) };
}

/** Same metadata and the same content: slices may be cut differently only when the content was stored anew. */
function isSameItem(a: LeafItem, b: LeafItem): boolean {
  return (
    a.metadata.equals(b.metadata) &&
    JSON.stringify([a.content, a.namedStreams]) === JSON.stringify([b.content, b.namedStreams])
  );
}

interface LostHead {
  readonly kind: 'lost';
  readonly from: CatalogKey;
  readonly before: CatalogKey | null;
}

type Head =
  | { readonly kind: 'node'; readonly place: NodePlace }
  | { readonly kind: 'item'; readonly item: LeafItem }
  | LostHead;

/** The smallest key that can come from a head. */
function keyOf(head: Head): string {
  if (head.kind === 'lost') return head.from;
  return head.kind === 'node' ? (head.place.firstKey ?? '') : head.item.key;
}

/** A place in a catalog that can step over a whole subtree, or into it. */
class Cursor {
  private readonly reader: CatalogReader;
  /** What is still to come, the next one last. */
  private readonly pending: Head[];

  constructor(reader: CatalogReader) {
    this.reader = reader;
    this.pending = [{ kind: 'node', place: rootPlace(reader.root) }];
  }

  head(): Head | null {
    return this.pending.at(-1) ?? null;
  }

  headItem(): LeafItem | null {
    const head = this.head();
    return head?.kind === 'item' ? head.item : null;
  }

  skip(): void {
    this.pending.pop();
  }

  async expand(): Promise<void> {
    const head = this.pending.pop();
    if (head?.kind !== 'node') throw new TypeError('only a node can be expanded');
    const node = await this.reader.nodeOrLoss(head.place);
    if (node === null) {
      this.pending.push({ kind: 'lost', from: head.place.firstKey as CatalogKey, before: head.place.before });
      return;
    }
    const heads: Head[] =
      node.kind === 'leaf'
        ? node.items.map((item) => ({ kind: 'item', item }))
        : placesBelow(node.items, head.place).map((place) => ({ kind: 'node', place }));
    // One by one: a node can hold more than a call takes arguments.
    for (const one of heads.reverse()) this.pending.push(one);
  }
}
