import { exposedCollector } from './exposed-collector.ts';

const COLLECT_EVERY_BYTES = 4 * 1024 * 1024;

/**
 * For a thread through which much content comes from the network, in buffers of 64 KiB that nobody can give
 * back: V8 hardly counts them, and lets tens of megabytes gather. They are young, so a quick collection frees them.
 */
export class YoungGarbage {
  private readonly collect = exposedCollector();
  private passedBytes = 0;

  /** Says that so many bytes came through. */
  passed(bytes: number): void {
    this.passedBytes += bytes;
    if (this.passedBytes < COLLECT_EVERY_BYTES) return;
    this.passedBytes = 0;
    this.collect?.({ type: 'minor' });
  }
}
