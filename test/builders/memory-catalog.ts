import type { ByteString } from '@cofre/shared/bytes';
import { CatalogBuilder } from '@cofre/shared/catalog/catalog-builder';
import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import { CatalogReader, type OpenedNode } from '@cofre/shared/catalog/catalog-reader';
import { encodeEntryMetadata } from '@cofre/shared/catalog/entry-codec';
import type { OnLost } from '@cofre/shared/catalog/lost-range';
import type { EncodedNode } from '@cofre/shared/catalog/node';
import { CofreError } from '@cofre/shared/errors';
import type { Slice } from '@cofre/shared/format/entry';
import { sha256Of } from '@cofre/shared/hash';
import type { ChunkId } from '@cofre/shared/ids';

/** Catalogs in memory, in the clear; several of them share their nodes. */
export class MemoryCatalogs {
  readonly nodes = new Map<ChunkId, OpenedNode>();
  /** Ids that were asked for, in order. */
  readonly fetched: ChunkId[] = [];

  /** A catalog of files; a path's number is its modification time. */
  build(
    paths: ReadonlyMap<string, { readonly version: number; readonly content?: readonly Slice[] }>,
  ): CatalogReader {
    const builder = new CatalogBuilder(Buffer.alloc(8, 5), (_, node) => this.put(node));
    const entries = [...paths].map(([path, entry]) => ({ ...entry, key: catalogKey(path as ByteString) }));
    entries.sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const { key, version, content = [] } of entries) {
      const metadata = encodeEntryMetadata({
        type: 'file',
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtimeNs: BigInt(version),
        size: 0,
      });
      builder.add({ key, metadata, content });
    }
    return this.reader(builder.finish());
  }

  reader(root: ChunkId, onLost: OnLost | null = null): CatalogReader {
    return new CatalogReader(root, async (ids) => ids.map((id) => this.#get(id)), onLost);
  }

  put({ table, plaintext }: EncodedNode): ChunkId {
    const id = sha256Of(table, plaintext).toString('hex') as ChunkId;
    this.nodes.set(id, {
      table: (table.toString('hex').match(/.{64}/g) as ChunkId[] | null) ?? [],
      plaintext,
    });
    return id;
  }

  #get(id: ChunkId): OpenedNode {
    this.fetched.push(id);
    const node = this.nodes.get(id);
    if (node === undefined) throw new CofreError('chunk_missing', { count: 1, what: id });
    return node;
  }
}
