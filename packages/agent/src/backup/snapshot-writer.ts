import { CatalogBuilder } from '@cofre/shared/catalog/catalog-builder';
import type { DomainKeys } from '@cofre/shared/crypto/domain-keys';
import type { SnapshotStatistics } from '@cofre/shared/format/envelope/manifest';
import type { ChunkId } from '@cofre/shared/ids';
import type { SetCacheWriter } from './cache/set-cache.ts';
import type { EntryQueue, FinishedEntry } from './entry-queue.ts';
import { EntryTally } from './entry-tally.ts';
import { CHUNK_STATES, type ChunkTable } from './pipeline/chunk-table.ts';
import type { NodeSealer } from './pipeline/node-sealer.ts';

/** Takes finished entries in order into the catalog, the cache of the next run, and the refset. */
export class SnapshotWriter {
  private readonly builder: CatalogBuilder;
  private readonly sealer: NodeSealer;
  private readonly cache: SetCacheWriter;
  private readonly table: ChunkTable;
  private readonly tally = new EntryTally();

  constructor(domain: DomainKeys, sealer: NodeSealer, cache: SetCacheWriter, table: ChunkTable) {
    this.sealer = sealer;
    this.cache = cache;
    this.table = table;
    this.builder = new CatalogBuilder(domain.catalogCutKey, (type, node) => sealer.emit(type, node));
  }

  /** Takes what is finished at the front of the queue. */
  async takeFrom(queue: EntryQueue): Promise<void> {
    for (let entry = queue.take(); entry !== null; entry = queue.take()) {
      this.add(entry);
      if (this.sealer.isFull) await this.sealer.drain();
    }
  }

  /**
   * The root of a catalog of what was taken so far, and the nodes that only this catalog needs. The last packs are
   * under way when it resolves; the snapshot goes on.
   */
  async checkpoint(): Promise<{ readonly catalogRoot: ChunkId; readonly passing: readonly ChunkId[] }> {
    const passing: ChunkId[] = [];
    const catalogRoot = this.builder.rootSoFar((type, node) => {
      const chunkId = this.sealer.seal(type, node);
      passing.push(chunkId);
      return chunkId;
    });
    await this.sealer.finish();
    return { catalogRoot, passing };
  }

  /** The root of the catalog. The last packs are under way when it resolves. */
  async finish(): Promise<ChunkId> {
    const root = this.builder.finish();
    await this.sealer.finish();
    return root;
  }

  statistics(failed: number): SnapshotStatistics {
    return this.tally.statistics(failed);
  }

  private add(entry: FinishedEntry): void {
    this.builder.add({ key: entry.key, metadata: entry.metadata, content: entry.slices });
    this.cache.add(entry);
    this.tally.add(entry);
    let lastId: ChunkId | null = null;
    for (const { chunkId } of entry.slices) {
      if (chunkId !== lastId) this.table.mark(chunkId, CHUNK_STATES.needed);
      lastId = chunkId;
    }
  }
}
