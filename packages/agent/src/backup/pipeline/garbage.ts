import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type CollectGarbage = (options: { type: 'minor' | 'major' }) => void;

/** Content after which the buffers that it went through are collected. */
const COLLECT_EVERY_BYTES = 4 * 1024 * 1024;
/** How far the heap may grow above what survived the last collection. */
const HEAP_GROWTH_BYTES_MAX = 24 * 1024 * 1024;

/**
 * Keeps the agent small on small machines. Left alone, V8 lets a hundred megabytes gather before it runs a
 * full collection, in each thread; memory that is taken from a customer's work is worth some milliseconds.
 */
function exposeCollector(): CollectGarbage | null {
  setFlagsFromString('--expose-gc');
  const exposed: unknown = runInNewContext('globalThis.gc');
  return typeof exposed === 'function' ? (exposed as CollectGarbage) : null;
}

/**
 * For threads that put content through zlib and crypto: every result is a buffer of its own, some three
 * times the size of the chunk, which V8 counts loosely. They are all young, so a quick collection of the
 * young generation frees them.
 */
export class YoungGarbage {
  private readonly collect = exposeCollector();
  private passedBytes = 0;

  /** Says that so many bytes of content went through. */
  passed(bytes: number): void {
    this.passedBytes += bytes;
    if (this.passedBytes < COLLECT_EVERY_BYTES) return;
    this.passedBytes = 0;
    this.collect?.({ type: 'minor' });
  }
}

/** For the thread that handles entries, which are many and short-lived, but not short enough to die young. */
export class HeapKeeper {
  private readonly collect = exposeCollector();
  private survivedBytes = getHeapStatistics().used_heap_size;

  /** Call now and then; it takes some microseconds, and rarely as long as a collection. */
  check(): void {
    if (getHeapStatistics().used_heap_size < this.survivedBytes + HEAP_GROWTH_BYTES_MAX) return;
    this.collect?.({ type: 'major' });
    this.survivedBytes = getHeapStatistics().used_heap_size;
  }
}
