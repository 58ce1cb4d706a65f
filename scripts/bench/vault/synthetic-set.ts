import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import type { ChunkId } from '@cofre/shared/ids';
import { ascendingIds, sampleBlob, sampleSnapshot } from '../../../test/builders/vault-samples.ts';
import type { SampleBlob, SampleSnapshot } from '../../../test/builders/vault-samples.ts';
import type { SampleRun } from '../../../test/builders/sample-vault.ts';
import { LIMITS } from '@cofre/shared/limits';

/** Content ids that one leaf refers to, and leaves that one inner node does. */
const LEAF_IDS = 100;
const INNER_IDS = 100;
const PACK_BLOBS = 4_000;
/** As small as a blob gets: the index is what is measured, not the disk. */
const SEALED_BYTES = 64;

interface Node {
  readonly blob: SampleBlob;
  readonly children: readonly ChunkId[];
}

/**
 * A set whose snapshots have a catalog of three levels over chunks of a few bytes: for the vault's index the same as a
 * large one, without its disk.
 */
export class SyntheticSet {
  private readonly leaves: Node[] = [];
  private readonly inner: Node[] = [];
  private root: Node | null = null;
  private readonly hash = RefsetHash.empty();
  private snapshot: SampleSnapshot | null = null;
  private nextLeaf = 0;

  /** Chunks that the newest snapshot needs. */
  get chunkCount(): number {
    return this.hash.count;
  }

  /** The first snapshot: `leafCount` leaves of a hundred chunks each. Gives the milliseconds of its commit. */
  async create(run: SampleRun, leafCount: number): Promise<number> {
    await this.replaceLeaves(run, leafCount, (place) => place);
    return this.commit(run, 'full');
  }

  /** The next snapshot: other content in `leafCount` leaves, one after the other over time. */
  async change(run: SampleRun, leafCount: number): Promise<number> {
    const first = this.nextLeaf;
    this.nextLeaf = (first + leafCount) % this.leaves.length;
    await this.replaceLeaves(run, leafCount, (place) => (first + place) % this.leaves.length);
    return this.commit(run, 'delta');
  }

  private added: ChunkId[] = [];
  private removed: ChunkId[] = [];

  private async replaceLeaves(
    run: SampleRun,
    count: number,
    placeOf: (index: number) => number,
  ): Promise<void> {
    const touched = new Set<number>();
    let content: SampleBlob[] = [];
    const nodes: SampleBlob[] = [];
    for (let index = 0; index < count; index++) {
      const place = placeOf(index);
      const blobs = Array.from({ length: LEAF_IDS }, () =>
        sampleBlob(run.device, { sealedLength: SEALED_BYTES }),
      );
      content.push(...blobs);
      nodes.push(
        this.put(
          this.leaves,
          place,
          run,
          blobs.map(({ chunkId }) => chunkId),
        ),
      );
      this.note(
        blobs.map(({ chunkId }) => chunkId),
        [],
      );
      touched.add(Math.floor(place / INNER_IDS));
      if (content.length >= PACK_BLOBS) {
        await run.send(content);
        content = [];
      }
    }
    if (content.length > 0) await run.send(content);
    for (const place of touched) {
      const children = this.leaves.slice(place * INNER_IDS, (place + 1) * INNER_IDS);
      nodes.push(
        this.put(
          this.inner,
          place,
          run,
          children.map(({ blob }) => blob.chunkId),
        ),
      );
    }
    const before = this.root;
    const children = this.inner.map(({ blob }) => blob.chunkId);
    this.root = {
      blob: sampleBlob(run.device, { type: 'catalog', sealedLength: SEALED_BYTES, table: children }),
      children,
    };
    nodes.push(this.root.blob);
    this.note([this.root.blob.chunkId], before === null ? [] : [before.blob.chunkId]);
    for (let start = 0; start < nodes.length; start += 1_000)
      await run.send(nodes.slice(start, start + 1_000), 'catalog');
  }

  /** A node in place of the one that was there, with whose leaf content goes too. */
  private put(level: Node[], place: number, run: SampleRun, children: readonly ChunkId[]): SampleBlob {
    const before = level[place];
    const blob = sampleBlob(run.device, { type: 'catalog', sealedLength: SEALED_BYTES, table: children });
    level[place] = { blob, children };
    const gone =
      before === undefined ? [] : [before.blob.chunkId, ...(level === this.leaves ? before.children : [])];
    this.note([blob.chunkId], gone);
    return blob;
  }

  private note(added: readonly ChunkId[], removed: readonly ChunkId[]): void {
    for (const id of added) this.hash.add(id);
    for (const id of removed) this.hash.remove(id);
    this.added.push(...added);
    this.removed.push(...removed);
  }

  private async commit(run: SampleRun, refs: 'full' | 'delta'): Promise<number> {
    const { vault, device, sessionId } = run;
    const root = (this.root as Node).blob.chunkId;
    const refset = { count: this.hash.count, digest: this.hash.digest().toString('hex') };
    this.snapshot = sampleSnapshot(device, [], root, this.snapshot, { refset });
    const startedMs = performance.now();
    let part = 0;
    for (const [mode, ids] of [
      ['add', this.added],
      ['remove', this.removed],
    ] as const) {
      for (let start = 0; start < ids.length; start += LIMITS.refsPartIdsMax) {
        const slice = ascendingIds(ids.slice(start, start + LIMITS.refsPartIdsMax));
        await vault.stageRefs(device.caller, sessionId, { part: part++, mode, ids: slice });
      }
    }
    const result = await run.commit(this.snapshot, refs);
    if (result.status !== 'committed') throw new Error(`the commit lacks ${result.total} pieces`);
    this.added = [];
    this.removed = [];
    return performance.now() - startedMs;
  }

  /** Some ids of the newest snapshot, spread over it. */
  someIds(count: number): ChunkId[] {
    const ids: ChunkId[] = [];
    for (let place = 0; ids.length < count; place++) {
      const leaf = this.leaves[(place * 7919) % this.leaves.length] as Node;
      ids.push(leaf.children[place % LEAF_IDS] as ChunkId);
    }
    return ids;
  }
}
