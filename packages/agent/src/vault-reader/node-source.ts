import { LRUCache } from 'lru-cache';
import type { FetchNodes, OpenedNode } from '@cofre/shared/catalog/catalog-reader';
import { openBlob } from '@cofre/shared/crypto/blob-cipher';
import type { DomainKeys } from '@cofre/shared/crypto/domain-keys';
import { CofreError } from '@cofre/shared/errors';
import { readBlobHeader, readBlobTable } from '@cofre/shared/format/envelope/blob';
import type { ChunkId } from '@cofre/shared/ids';
import type { ReceivedChunk, ServerClient } from '../client/server-client.ts';
import type { Keyring } from './keyring.ts';

/** Walks go down and along: what they come back to are inner nodes, some hundred KiB of them. */
const CACHE_BYTES = 8 * 1024 * 1024;
/** A JavaScript string of an id, with its place in an array. */
const TABLE_BYTES_PER_ID = 90;

/**
 * Brings the nodes of one domain's catalogs: from the cache, or from the server, opened and checked against
 * their ids.
 * @param ensureGranted called before each request
 * @throws (when called) CofreError `chunk_missing`, `damaged` or `unknown_format`, naming the node
 */
export function nodeSource(
  client: ServerClient,
  domain: DomainKeys,
  keyring: Keyring,
  ensureGranted: () => Promise<void>,
): FetchNodes {
  const cache = new LRUCache<ChunkId, OpenedNode>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ table, plaintext }) => 1 + plaintext.length + table.length * TABLE_BYTES_PER_ID,
  });
  return async (ids) => {
    const found = new Map<ChunkId, OpenedNode>();
    const wanted = new Set<ChunkId>();
    for (const id of ids) {
      const node = cache.get(id);
      if (node === undefined) wanted.add(id);
      else found.set(id, node);
    }
    if (wanted.size > 0) {
      await ensureGranted();
      for await (const received of client.readChunks(domain.domainId, [...wanted])) {
        const node = await openNode(received, wanted, domain, keyring);
        cache.set(received.chunkId, node);
        found.set(received.chunkId, node);
      }
    }
    return ids.map((id) => found.get(id) ?? refuseMissing(id));
  };
}

async function openNode(
  { chunkId, status, blob }: ReceivedChunk,
  wanted: ReadonlySet<ChunkId>,
  domain: DomainKeys,
  keyring: Keyring,
): Promise<OpenedNode> {
  if (!wanted.has(chunkId)) throw new CofreError('protocol', { problem: 'a chunk that nobody asked for' });
  if (status === 'missing') refuseMissing(chunkId);
  if (status === 'damaged') throw nodeDamaged(chunkId, 'the server found it so');
  try {
    const header = readBlobHeader(blob);
    if (header.chunkId !== chunkId) throw nodeDamaged(chunkId, 'another came in its place');
    // The buffer is the client's and is used again for the next blob: nothing may be awaited before a copy.
    const copy = Buffer.from(blob);
    if (!keyring.has(header.keyPeriodId)) await keyring.period(header.keyPeriodId);
    return { table: readBlobTable(copy, header), plaintext: openBlob(copy, domain, keyring.find) };
  } catch (error) {
    throw namingNode(error, chunkId);
  }
}

function refuseMissing(chunkId: ChunkId): never {
  throw new CofreError('chunk_missing', { count: 1, what: `node ${chunkId} of a catalog` });
}

/** An error that says which node it is about: what a blob says of itself does not. */
function namingNode(error: unknown, chunkId: ChunkId): unknown {
  if (!(error instanceof CofreError)) return error;
  if (error.code === 'damaged') return nodeDamaged(chunkId, 'it was changed', error);
  if (error.code !== 'unknown_format') return error;
  const { problem = '' } = error.parameters;
  return new CofreError(
    'unknown_format',
    { what: `Node ${chunkId} of a catalog`, problem },
    { cause: error },
  );
}

function nodeDamaged(chunkId: ChunkId, problem: string, cause?: unknown): CofreError {
  return new CofreError('damaged', { what: `Node ${chunkId} of a catalog`, problem }, { cause });
}
