import { byteStringFromText, type ByteString } from '@cofre/shared/bytes';
import { CatalogBuilder } from '@cofre/shared/catalog/catalog-builder';
import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import { encodeEntryMetadata } from '@cofre/shared/catalog/entry-codec';
import { prepareBlob, sealBlob, type BlobContent } from '@cofre/shared/crypto/blob-cipher';
import { domainKeys, type DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import { periodKeys, type KeyPeriod } from '@cofre/shared/crypto/key-period';
import type { Slice } from '@cofre/shared/format/entry';
import { encodeSnapshotInfo } from '@cofre/shared/format/snapshot-info';
import type { ChunkId } from '@cofre/shared/ids';
import type { FakeTree } from './fake-vault.ts';

/** Content is cut at multiples of this; what is left is bundled with its neighbours. */
const CHUNK_BYTES = 64 * 1024;

/** Seals content and nodes of one run. */
export class FakeSealer {
  readonly #domain: ReturnType<typeof domainKeys>;
  readonly #period: ReturnType<typeof periodKeys>;
  readonly #store: (id: ChunkId, blob: Buffer) => void;

  constructor(domain: DomainSecrets, period: KeyPeriod, store: (id: ChunkId, blob: Buffer) => void) {
    this.#domain = domainKeys(domain);
    this.#period = periodKeys(period);
    this.#store = store;
  }

  seal(content: Omit<BlobContent, 'chunkId'>): ChunkId {
    const { type, table, plaintext } = content;
    const chunkId =
      type === 'data' ? this.#domain.dataId(plaintext) : this.#domain.nodeId(type, table, plaintext);
    this.#store(chunkId, this.#blobOf({ ...content, chunkId }));
    return chunkId;
  }

  sealInfo(setName: string, hostName: string): Buffer {
    const plaintext = encodeSnapshotInfo({
      setName,
      hostName,
      roots: [byteStringFromText('home')],
      excludes: [],
      failures: [],
    });
    const table = Buffer.alloc(0);
    return this.#blobOf({
      type: 'info',
      table,
      plaintext,
      chunkId: this.#domain.nodeId('info', table, plaintext),
    });
  }

  #blobOf(content: BlobContent): Buffer {
    const prepared = prepareBlob(content);
    const blob = Buffer.alloc(prepared.lengthBytes);
    sealBlob(blob, 0, prepared, this.#domain, this.#period);
    return blob;
  }
}

/** Seals a tree, content and catalog; gives the root of the catalog. */
export function sealTree(tree: FakeTree, domain: DomainSecrets, sealer: FakeSealer): ChunkId {
  const builder = new CatalogBuilder(domainKeys(domain).catalogCutKey, (type, { table, plaintext }) =>
    sealer.seal({ type, table, plaintext }),
  );
  const entries = Object.entries(tree).map(([path, item]) => ({
    ...item,
    key: catalogKey(path as ByteString),
  }));
  entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  const bundled = bundle(
    entries.map(({ content }) => content ?? Buffer.alloc(0)),
    sealer,
  );
  for (const [index, { key, entry }] of entries.entries()) {
    builder.add({ key, metadata: encodeEntryMetadata(entry), content: bundled[index] ?? [] });
  }
  return builder.finish();
}

/** Cuts all content as one stream, so that chunks hold many small files, and large files have many chunks. */
function bundle(contents: readonly Buffer[], sealer: FakeSealer): Slice[][] {
  const stream = Buffer.concat(contents);
  const ids: ChunkId[] = [];
  for (let start = 0; start < stream.length; start += CHUNK_BYTES) {
    const plaintext = stream.subarray(start, start + CHUNK_BYTES);
    ids.push(sealer.seal({ type: 'data', table: Buffer.alloc(0), plaintext }));
  }
  let position = 0;
  return contents.map((content) => {
    const slices: Slice[] = [];
    for (const end = position + content.length; position < end;) {
      const offset = position % CHUNK_BYTES;
      const length = Math.min(CHUNK_BYTES - offset, end - position);
      slices.push({ chunkId: ids[Math.floor(position / CHUNK_BYTES)] as ChunkId, offset, length });
      position += length;
    }
    return slices;
  });
}
