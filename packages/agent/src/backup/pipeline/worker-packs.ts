import { type MessagePort } from 'node:worker_threads';
import { prepareBlob, type PreparedBlob } from '@cofre/shared/crypto/blob-cipher';
import type { DomainKeys } from '@cofre/shared/crypto/domain-keys';
import type { PeriodKeys } from '@cofre/shared/crypto/key-period';
import type { ChunkId } from '@cofre/shared/ids';
import type { MessageFromWorker } from './messages.ts';
import { PackBuilder } from './pack-builder.ts';

const NO_TABLE = new Uint8Array(0);

/**
 * The pack that a worker is filling. Its buffer comes from the main thread and goes back there, full, without
 * being copied. While there is none, whoever wants to put something in waits.
 */
export class WorkerPacks {
  private readonly port: MessagePort;
  private readonly domain: DomainKeys;
  private readonly period: PeriodKeys;
  private pack: { readonly buffer: ArrayBuffer; readonly builder: PackBuilder } | null = null;
  private arrival: PromiseWithResolvers<void> | null = null;

  constructor(port: MessagePort, domain: DomainKeys, period: PeriodKeys) {
    this.port = port;
    this.domain = domain;
    this.period = period;
  }

  /** Compresses and seals one chunk into the pack. */
  async put(chunkId: ChunkId, plaintext: Uint8Array): Promise<void> {
    const prepared = prepareBlob({ type: 'data', chunkId, table: NO_TABLE, plaintext });
    // Looking for room and taking it is one step: another job of this thread may be waiting for it as well.
    while (!this.addIfRoom(prepared)) await this.nextBuffer();
  }

  /** A buffer has come from the main thread. */
  accept(buffer: ArrayBuffer): void {
    const builder = new PackBuilder(Buffer.from(buffer), 'content', this.domain, this.period);
    this.pack = { buffer, builder };
    this.arrival?.resolve();
    this.arrival = null;
  }

  /** Sends what there is, full or not. */
  close(): void {
    if (this.pack === null) return;
    const { buffer, builder } = this.pack;
    this.pack = null;
    const { usedBytes, tail, blobs } = builder.finish();
    const message: MessageFromWorker = { kind: 'pack', buffer, usedBytes, tail, blobs };
    this.port.postMessage(message, [buffer]);
  }

  private addIfRoom(prepared: PreparedBlob): boolean {
    if (this.pack?.builder.hasRoom(prepared.lengthBytes) !== true) return false;
    this.pack.builder.add(prepared);
    return true;
  }

  private async nextBuffer(): Promise<void> {
    this.close();
    if (this.arrival === null) {
      this.arrival = Promise.withResolvers();
      this.port.postMessage({ kind: 'need-slab' } satisfies MessageFromWorker);
    }
    await this.arrival.promise;
  }
}
