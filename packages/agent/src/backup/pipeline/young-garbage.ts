import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type CollectGarbage = (options: { type: 'minor' }) => void;

/** Content after which the buffers that it went through are collected. */
const COLLECT_EVERY_BYTES = 4 * 1024 * 1024;

/**
 * zlib and crypto give every result in a buffer of its own, some four times the size of the chunk. V8 counts
 * such memory loosely and lets hundreds of megabytes gather before it runs a slow full collection. These
 * buffers are all young, so a quick collection of the young generation now and then frees them at once.
 */
export class YoungGarbage {
  private readonly collect: CollectGarbage | null;
  private passedBytes = 0;

  constructor() {
    setFlagsFromString('--expose-gc');
    const exposed: unknown = runInNewContext('globalThis.gc');
    this.collect = typeof exposed === 'function' ? (exposed as CollectGarbage) : null;
  }

  /** Says that so many bytes of content went through zlib and crypto. */
  passed(bytes: number): void {
    this.passedBytes += bytes;
    if (this.passedBytes < COLLECT_EVERY_BYTES) return;
    this.passedBytes = 0;
    this.collect?.({ type: 'minor' });
  }
}
