import { createHash, type Hash } from 'node:crypto';
import type { FilePiece } from './file-pieces.ts';

/** Hashes blobs that lie one behind the other, from pieces that end anywhere. */
export class BlobHashes {
  /** SHA-256 of each blob that has passed; null for one that can't be read whole. */
  readonly hashes: (Buffer | null)[] = [];
  private readonly lengths: readonly number[];
  private hash: Hash | null = createHash('sha256');
  private missing: number;

  constructor(lengths: readonly number[]) {
    this.lengths = lengths;
    this.missing = lengths[0] ?? 0;
  }

  add({ bytes, length }: FilePiece): void {
    for (let done = 0; done < length && this.hashes.length < this.lengths.length;) {
      const taken = Math.min(this.missing, length - done);
      if (bytes === null) this.hash = null;
      else this.hash?.update(bytes.subarray(done, done + taken));
      done += taken;
      this.missing -= taken;
      if (this.missing === 0) this.next();
    }
  }

  private next(): void {
    this.hashes.push(this.hash?.digest() ?? null);
    this.hash = createHash('sha256');
    this.missing = this.lengths[this.hashes.length] ?? 0;
  }
}
