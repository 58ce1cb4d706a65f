import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import type { ChunkId } from '@cofre/shared/ids';
import type { IndexConnection } from '../index/connection.ts';
import { countOfIds, idAt, type PackedIds } from '../index/packed-ids.ts';
import { countChunks, findNode, insertLostChunk, tableOf } from '../index/rebuild-chains.store.ts';

/** A chunk that left the refset of a chain: the snapshots from one sequence up to, not including, another need it. */
export type OnLeave = (ref: { chunk: number; fromSequence: number; toSequence: number }) => void;

const NOT_IN_SET = 0;
/** Room for chunks that are found to be lost, before the arrays are made anew. */
const SPARE_CHUNKS = 1024;

/**
 * What the snapshots of one chain need, one after the other, found by the tables of their catalogs. From one snapshot
 * to the next only what differs is walked: the count of nodes that refer to a chunk says when it is not needed any more.
 *
 * Memory: 8 bytes for each chunk of the vault, whatever the number of snapshots.
 */
export class ChainWalk {
  private readonly index: IndexConnection;
  private readonly domain: number;
  private readonly onLeave: OnLeave;
  private readonly hash = RefsetHash.empty();
  /** By chunk: since which sequence it is in the set, and how many nodes of the set refer to it. */
  private since: Uint32Array;
  private parents: Uint32Array;
  private readonly lost = new Set<number>();
  /** Of the snapshot that it has come to; 0 before the first. */
  sequence = 0;
  private root: { chunk: number; id: Buffer } | null = null;

  constructor(index: IndexConnection, domain: number, onLeave: OnLeave) {
    this.index = index;
    this.domain = domain;
    this.onLeave = onLeave;
    const size = countChunks(index) + 1 + SPARE_CHUNKS;
    this.since = new Uint32Array(size);
    this.parents = new Uint32Array(size);
  }

  /** Goes on to the snapshot of this catalog. */
  advance(catalogRoot: ChunkId, sequence: number): void {
    const before = this.root;
    this.sequence = sequence;
    const id = Buffer.from(catalogRoot, 'hex');
    const chunk = this.enter(id, sequence);
    this.root = { chunk, id };
    if (before !== null && before.chunk !== chunk && this.parents[before.chunk] === 0) {
      this.leave(before, sequence);
    }
  }

  get count(): number {
    return this.hash.count;
  }

  get digest(): string {
    return this.hash.digest().toString('hex');
  }

  get state(): Buffer {
    return this.hash.state();
  }

  /** Pieces of the set that the store does not have. */
  get lostCount(): number {
    return this.lost.size;
  }

  /** All that is in the set. */
  *members(): Generator<{ chunk: number; fromSequence: number; parents: number }> {
    for (let chunk = 1; chunk < this.since.length; chunk++) {
      const fromSequence = this.since[chunk] as number;
      if (fromSequence === NOT_IN_SET) continue;
      yield { chunk, fromSequence, parents: this.parents[chunk] as number };
    }
  }

  /** Adds a chunk and all below it. @returns its row */
  private enter(root: Buffer, sequence: number): number {
    const waiting = [root];
    let first: number | null = null;
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const { chunk, isLost, table } = this.find(id);
      first ??= chunk;
      if (this.since[chunk] !== NOT_IN_SET) continue;
      this.since[chunk] = sequence;
      this.hash.add(id.toString('hex') as ChunkId);
      if (isLost) this.lost.add(chunk);
      for (const child of idsOf(table)) {
        const { chunk: childChunk } = this.find(child);
        (this.parents[childChunk] as number) += 1;
        if (this.since[childChunk] === NOT_IN_SET) waiting.push(child);
      }
    }
    return first as number;
  }

  /** Takes a chunk away that nothing refers to any more, and whatever only it referred to. */
  private leave(root: { chunk: number; id: Buffer }, sequence: number): void {
    const waiting = [root];
    for (let gone = waiting.pop(); gone !== undefined; gone = waiting.pop()) {
      const { chunk, id } = gone;
      this.onLeave({ chunk, fromSequence: this.since[chunk] as number, toSequence: sequence });
      this.since[chunk] = NOT_IN_SET;
      this.hash.remove(id.toString('hex') as ChunkId);
      this.lost.delete(chunk);
      for (const child of idsOf(tableOf(this.index, chunk))) {
        const { chunk: childChunk } = this.find(child);
        (this.parents[childChunk] as number) -= 1;
        const isNeeded = this.parents[childChunk] !== 0 || childChunk === this.root?.chunk;
        if (!isNeeded) waiting.push({ chunk: childChunk, id: child });
      }
    }
  }

  private find(id: Buffer): { chunk: number; isLost: boolean; table: PackedIds | null } {
    const known = findNode(this.index, this.domain, id);
    if (known !== null) return known;
    const chunk = insertLostChunk(this.index, this.domain, id);
    if (chunk >= this.since.length) this.grow();
    return { chunk, isLost: true, table: null };
  }

  private grow(): void {
    const size = this.since.length * 2;
    const [since, parents] = [new Uint32Array(size), new Uint32Array(size)];
    since.set(this.since);
    parents.set(this.parents);
    this.since = since;
    this.parents = parents;
  }
}

function* idsOf(table: PackedIds | null): Generator<Buffer> {
  if (table === null) return;
  for (let place = 0; place < countOfIds(table); place++) yield idAt(table, place);
}
