import type { KeyPeriod } from '@cofre/shared/crypto/key-period';
import type { Extent } from '@cofre/shared/format/entry';
import type { DomainSecrets } from '@cofre/shared/crypto/domain-keys';

/** What a chunk worker is started with. Everything here is plain data. */
export interface WorkerSetup {
  readonly domain: DomainSecrets;
  readonly period: KeyPeriod;
}

/** A run of small files, read and cut as one stream. */
export interface BundleJob {
  readonly kind: 'bundle';
  readonly jobId: number;
  readonly files: readonly BundledFile[];
}

/** Absolute, without leading slash; inode and file system as the walk saw them. */
export interface BundledFile {
  readonly path: string;
  readonly inode: bigint;
  readonly deviceId: bigint;
}

/** A part of a large file: the data in some extents, cut as a stream of its own. */
export interface SegmentJob {
  readonly kind: 'segment';
  readonly jobId: number;
  readonly file: BundledFile;
  readonly extents: readonly Extent[];
}

export type ChunkJob = BundleJob | SegmentJob;

export type MessageToWorker =
  | { readonly kind: 'job'; readonly job: ChunkJob }
  /** One byte an id: 1 = seal and send it. */
  | { readonly kind: 'decision'; readonly askId: number; readonly send: Uint8Array }
  /** Room for a pack. */
  | { readonly kind: 'slab'; readonly buffer: ArrayBuffer }
  /** Close the pack that is open, full or not. */
  | { readonly kind: 'flush' };

export type MessageFromWorker =
  | { readonly kind: 'ask'; readonly askId: number; readonly ids: Uint8Array }
  | { readonly kind: 'need-slab' }
  | {
      readonly kind: 'pack';
      readonly buffer: ArrayBuffer;
      readonly usedBytes: number;
      readonly tail: Uint8Array;
      readonly blobs: number;
    }
  /** `result` is read by `job-result.ts`. */
  | { readonly kind: 'done'; readonly jobId: number; readonly result: Uint8Array; readonly bytesRead: number }
  | { readonly kind: 'flushed' };
