const MIB = 1024 * 1024;

/** Memory for all readers together; each has one read in hand and one ahead. */
const READS_BYTES = 64 * MIB;
const RUN_BYTES_MAX = 4 * MIB;
const RUN_BYTES_MIN = 128 * 1024;

/** Shares the memory for reads out: a few readers read in large pieces, many in small ones. */
export class ReaderShare {
  private count = 0;

  /** Counts a reader until what it gives is called. */
  enter(): () => void {
    this.count += 1;
    return () => {
      this.count -= 1;
    };
  }

  /** Bytes that a reader may have in one read. */
  get runBytesMax(): number {
    const share = Math.floor(READS_BYTES / 2 / Math.max(1, this.count));
    return Math.max(RUN_BYTES_MIN, Math.min(RUN_BYTES_MAX, share));
  }
}
