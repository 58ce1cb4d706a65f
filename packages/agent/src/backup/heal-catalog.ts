import { CatalogBuilder } from '@cofre/shared/catalog/catalog-builder';
import type { DomainKeys } from '@cofre/shared/crypto/domain-keys';
import type { ChunkId } from '@cofre/shared/ids';
import type { EntrySource } from './cache/entry-file.ts';
import { CHUNK_STATES, isThere, type ChunkTable } from './pipeline/chunk-table.ts';
import type { NodeSealer } from './pipeline/node-sealer.ts';

/**
 * Makes the catalog of the head anew from the cache, and sends those of its nodes that the server has lost. The new
 * snapshot need not have them, since a single entry that changed makes another node; the head would stay broken.
 * @param entries those of the head
 */
export async function healCatalog(
  entries: EntrySource,
  domain: DomainKeys,
  table: ChunkTable,
  sealer: NodeSealer,
): Promise<void> {
  if (table.count(CHUNK_STATES.missing) === 0) return;
  const builder = new CatalogBuilder(domain.catalogCutKey, (type, node): ChunkId => {
    const chunkId = domain.nodeId(type, node.table, node.plaintext);
    const state = table.stateOf(chunkId);
    if ((state & CHUNK_STATES.missing) !== 0 && !isThere(state)) sealer.seal(type, node);
    return chunkId;
  });
  for (const { key, metadata, slices } of entries.entries()) {
    builder.add({ key, metadata, content: slices });
    if (sealer.isFull) await sealer.drain();
  }
  builder.finish();
  await sealer.drain();
}
