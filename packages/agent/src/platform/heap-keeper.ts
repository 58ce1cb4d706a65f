import { getHeapStatistics } from 'node:v8';
import { exposedCollector } from './exposed-collector.ts';

/** How far the heap may grow above what survived the last collection, when the process has become large. */
const HEAP_GROWTH_BYTES_MAX = 24 * 1024 * 1024;
/** Below this the process leaves the agent's budget (`agentMemoryBytes`) room enough for garbage. */
const PROCESS_BYTES_MIN = 192 * 1024 * 1024;

/**
 * Keeps the agent small on small machines, on the thread that handles entries: they are many and short-lived,
 * but not short enough to die young. Left alone, V8 lets a hundred megabytes of them gather before it runs a
 * full collection; memory that is taken from a customer's work is worth some milliseconds now and then.
 */
export class HeapKeeper {
  private readonly collect = exposedCollector();
  private readonly growthBytesMax: number;
  private survivedBytes = getHeapStatistics().used_heap_size;

  /** @param growthBytesMax how far the heap may grow above what survived the last collection */
  constructor(growthBytesMax = HEAP_GROWTH_BYTES_MAX) {
    this.growthBytesMax = growthBytesMax;
  }

  /** Call now and then; it takes some microseconds, and rarely as long as a collection. */
  check(): void {
    if (getHeapStatistics().used_heap_size < this.survivedBytes + this.growthBytesMax) return;
    if (process.memoryUsage.rss() < PROCESS_BYTES_MIN) return;
    this.collect?.();
    this.survivedBytes = getHeapStatistics().used_heap_size;
  }
}
