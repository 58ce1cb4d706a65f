import { prepareBlob, type PreparedBlob } from '@cofre/shared/crypto/blob-cipher';
import type { DomainKeys } from '@cofre/shared/crypto/domain-keys';
import type { PeriodKeys } from '@cofre/shared/crypto/key-period';
import type { EncodedNode } from '@cofre/shared/catalog/node';
import { PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import type { ChunkId } from '@cofre/shared/ids';
import { CHUNK_STATES, isThere, type ChunkTable } from './chunk-table.ts';
import type { Deduplicator } from './deduplicator.ts';
import { PackBuilder } from './pack-builder.ts';
import type { PackSender } from './pack-sender.ts';

/** Catalog packs are small: there is little of it, and it is read in small pieces. */
const CATALOG_PACK_BYTES = 2 * 1024 * 1024;
const QUEUE_BYTES_MAX = 1024 * 1024;

interface QueuedNode {
  readonly type: 'catalog' | 'list';
  readonly chunkId: ChunkId;
  readonly node: EncodedNode;
}

/**
 * Names the nodes of a catalog at once, and seals and sends those that the server lacks behind the builder's
 * back: the builder is synchronous, asking the server is not. Call {@link drain} whenever {@link isFull}.
 */
export class NodeSealer {
  private readonly domain: DomainKeys;
  private readonly period: PeriodKeys;
  private readonly table: ChunkTable;
  private readonly deduplicator: Deduplicator;
  private readonly sender: PackSender;
  private queue: QueuedNode[] = [];
  private queuedBytes = 0;
  /** Of packs that were acknowledged: used again, since a new one for each would gather before it is collected. */
  private readonly freeBuffers: Buffer[] = [];
  private pack: { readonly buffer: Buffer; readonly builder: PackBuilder } | null = null;

  constructor(parts: {
    readonly domain: DomainKeys;
    readonly period: PeriodKeys;
    readonly table: ChunkTable;
    readonly deduplicator: Deduplicator;
    readonly sender: PackSender;
  }) {
    this.domain = parts.domain;
    this.period = parts.period;
    this.table = parts.table;
    this.deduplicator = parts.deduplicator;
    this.sender = parts.sender;
  }

  get isFull(): boolean {
    return this.queuedBytes > QUEUE_BYTES_MAX;
  }

  /** The id of a node, which from now on belongs to the snapshot. */
  emit(type: 'catalog' | 'list', node: EncodedNode): ChunkId {
    const chunkId = this.seal(type, node);
    this.table.mark(chunkId, CHUNK_STATES.needed);
    return chunkId;
  }

  /** The id of a node, which is sent if the server lacks it. */
  seal(type: 'catalog' | 'list', node: EncodedNode): ChunkId {
    const chunkId = this.domain.nodeId(type, node.table, node.plaintext);
    if (!isThere(this.table.stateOf(chunkId))) {
      this.queue.push({ type, chunkId, node });
      this.queuedBytes += node.plaintext.length + node.table.length;
    }
    return chunkId;
  }

  async drain(): Promise<void> {
    const nodes = this.queue;
    this.queue = [];
    this.queuedBytes = 0;
    if (nodes.length === 0) return;
    const ids = Buffer.concat(nodes.map(({ chunkId }) => Buffer.from(chunkId, 'hex')));
    const send = await this.deduplicator.decide(ids);
    for (const [index, { type, chunkId, node }] of nodes.entries()) {
      if (send[index] !== 1) continue;
      await this.put(prepareBlob({ type, chunkId, table: node.table, plaintext: node.plaintext }));
    }
  }

  /** Seals and sends what is left. */
  async finish(): Promise<void> {
    await this.drain();
    await this.closePack();
  }

  private async put(prepared: PreparedBlob): Promise<void> {
    if (this.pack !== null && !this.pack.builder.hasRoom(prepared.lengthBytes)) await this.closePack();
    if (this.pack === null) {
      const buffer = this.bufferFor(prepared.lengthBytes + PACK_HEADER_BYTES);
      this.pack = { buffer, builder: new PackBuilder(buffer, 'catalog', this.domain, this.period) };
    }
    this.pack.builder.add(prepared);
  }

  private async closePack(): Promise<void> {
    if (this.pack === null) return;
    const { buffer, builder } = this.pack;
    this.pack = null;
    const { usedBytes, tail, blobs } = builder.finish();
    await this.sender.send([buffer.subarray(0, usedBytes), tail], blobs, () => {
      if (buffer.length === CATALOG_PACK_BYTES) this.freeBuffers.push(buffer);
    });
  }

  /** A node may be larger than a pack is meant to be. */
  private bufferFor(lengthBytes: number): Buffer {
    if (lengthBytes > CATALOG_PACK_BYTES) return Buffer.allocUnsafe(lengthBytes);
    return this.freeBuffers.pop() ?? Buffer.allocUnsafe(CATALOG_PACK_BYTES);
  }
}
