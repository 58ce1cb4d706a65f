import { CatalogBuilder } from '@cofre/shared/catalog/catalog-builder';
import type { DomainKeys } from '@cofre/shared/crypto/domain-keys';
import type { SnapshotStatistics } from '@cofre/shared/format/envelope/manifest';
import type { ChunkId } from '@cofre/shared/ids';
import type { SetCacheWriter } from './cache/set-cache.ts';
import type { EntryQueue, FinishedEntry } from './entry-queue.ts';
import { CHUNK_STATES, type ChunkTable } from './pipeline/chunk-table.ts';
import type { NodeSealer } from './pipeline/node-sealer.ts';

/** Takes finished entries in order into the catalog, the cache of the next run, and the refset. */
export class SnapshotWriter {
  private readonly builder: CatalogBuilder;
  private readonly sealer: NodeSealer;
  private readonly cache: SetCacheWriter | null;
  private readonly table: ChunkTable;
  private readonly counts = { files: 0, folders: 0, others: 0, bytes: 0 };

  constructor(domain: DomainKeys, sealer: NodeSealer, cache: SetCacheWriter | null, table: ChunkTable) {
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

  /** The root of the catalog. The last packs are under way when it resolves. */
  async finish(): Promise<ChunkId> {
    const root = this.builder.finish();
    await this.sealer.finish();
    return root;
  }

  statistics(failed: number): SnapshotStatistics {
    return { ...this.counts, failed };
  }

  private add(entry: FinishedEntry): void {
    this.builder.add({ key: entry.key, metadata: entry.metadata, content: entry.slices });
    this.cache?.add(entry);
    let lastId: ChunkId | null = null;
    for (const { chunkId } of entry.slices) {
      if (chunkId !== lastId) this.table.mark(chunkId, CHUNK_STATES.needed);
      lastId = chunkId;
    }
    if (entry.kind === 'file') {
      this.counts.files += 1;
      if (entry.hardLinkTo === '') this.counts.bytes += entry.sizeBytes;
    } else if (entry.kind === 'folder') {
      this.counts.folders += 1;
    } else {
      this.counts.others += 1;
    }
  }
}
