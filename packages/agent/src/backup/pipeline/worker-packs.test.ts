import { EventEmitter } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { openBlob } from '@cofre/shared/crypto/blob-cipher';
import { domainKeys, newDomainSecrets } from '@cofre/shared/crypto/domain-keys';
import { newKeyPeriod, periodKeys } from '@cofre/shared/crypto/key-period';
import { decodePackTail, PACK_HEADER, PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import { sha256 } from '@cofre/shared/hash';
import { newRandomId, type ChunkId, type DeviceId, type DomainId } from '@cofre/shared/ids';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../../../../test/builders/seeded-random.ts';
import type { MessageFromWorker } from './messages.ts';
import { WorkerPacks } from './worker-packs.ts';

const secrets = newDomainSecrets(newRandomId<DomainId>());
const domain = domainKeys(secrets);
const keys = periodKeys(newKeyPeriod(newRandomId<DeviceId>(), secrets.domainId));
const noise = new SeededRandom(21).bytes(200_000);
const SLAB_BYTES = 40_000;

/** The main thread: has few buffers, gives them when it likes, and takes packs apart. */
class MainThread extends EventEmitter {
  readonly opened = new Map<ChunkId, Buffer>();
  readonly packs: number[] = [];
  readonly worker: WorkerPacks;
  private free: number;
  private wanted = 0;

  constructor(buffers: number) {
    super();
    this.free = buffers;
    this.worker = new WorkerPacks(this as unknown as MessagePort, domain, keys);
  }

  postMessage(message: MessageFromWorker): void {
    if (message.kind === 'need-slab') this.wanted += 1;
    if (message.kind === 'pack') {
      this.open(message);
      // It travels for a while.
      setImmediate(() => {
        this.free += 1;
        this.grant();
      });
    }
    setImmediate(() => this.grant());
  }

  private grant(): void {
    if (this.wanted === 0 || this.free === 0) return;
    this.wanted -= 1;
    this.free -= 1;
    this.worker.accept(new ArrayBuffer(SLAB_BYTES));
  }

  private open({ buffer, usedBytes, tail }: Extract<MessageFromWorker, { kind: 'pack' }>): void {
    const bytes = Buffer.from(buffer, 0, usedBytes);
    expect(bytes.subarray(0, PACK_HEADER_BYTES)).toEqual(PACK_HEADER);
    const { entries, kind } = decodePackTail(Buffer.from(tail));
    expect(kind).toBe('content');
    expect(entries.length).toBeGreaterThan(0);
    this.packs.push(entries.length);
    let position = PACK_HEADER_BYTES;
    for (const { chunkId, length, sha256: hash } of entries) {
      const blob = bytes.subarray(position, position + length);
      expect(sha256(blob)).toEqual(hash);
      expect(this.opened.has(chunkId)).toBe(false);
      this.opened.set(
        chunkId,
        openBlob(blob, domain, () => keys),
      );
      position += length;
    }
    expect(position).toBe(usedBytes);
  }
}

function chunksOf(sizes: readonly number[], offset: number): Buffer[] {
  let position = offset;
  return sizes.map((size) => {
    const chunk = noise.subarray(position, position + size);
    position += size;
    return chunk;
  });
}

test('jobs that fill the same packs with few buffers lose nothing and send nothing twice', async () => {
  const sizes = fc.array(fc.integer({ min: 40, max: 30_000 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(sizes, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 2 }),
      async (jobs, buffers) => {
        const main = new MainThread(buffers);
        const expected = new Map<ChunkId, Buffer>();
        await Promise.all(
          jobs.map(async (job, number) => {
            for (const chunk of chunksOf(job, number * 1000)) {
              const id = domain.dataId(chunk);
              if (expected.has(id)) continue;
              expected.set(id, Buffer.from(chunk));
              await main.worker.put(id, chunk);
            }
          }),
        );
        main.worker.close();
        expect(main.opened).toEqual(expected);
      },
    ),
    { numRuns: 80 },
  );
});

test('closing without anything put in sends nothing', () => {
  const main = new MainThread(1);
  main.worker.close();
  expect(main.packs).toEqual([]);
});

test('a chunk that does not fit any more goes into the next pack', async () => {
  const main = new MainThread(2);
  const [first, second] = chunksOf([20_000, 30_000], 0) as [Buffer, Buffer];
  await main.worker.put(domain.dataId(first), first);
  await main.worker.put(domain.dataId(second), second);
  main.worker.close();
  expect(main.packs).toEqual([1, 1]);
});
