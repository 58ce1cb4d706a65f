import type { ChunkId } from '@cofre/shared/ids';
import type { Slice } from '@cofre/shared/format/entry';
import type { Chunker } from '../../chunker/chunker.ts';

/** Takes chunks as they are cut. The bytes are valid until the promise resolves. */
export type TakeChunks = (chunks: readonly Uint8Array[]) => Promise<readonly ChunkId[]>;

interface StreamChunk {
  readonly id: ChunkId;
  /** Where it ends in the stream. */
  readonly end: number;
}

/**
 * A stream that is written into a chunker's slab and cut on the way: files are read straight into the slab,
 * and nothing is copied but the undecided rest when the slab is full.
 */
export class ContentStream {
  private readonly chunker: Chunker;
  private readonly takeChunks: TakeChunks;
  private readonly chunks: StreamChunk[] = [];
  /** Where the undecided rest begins and where the next byte goes, in the slab. */
  private start = 0;
  private fill = 0;
  /** Bytes of the stream before `start`. */
  private cutBytes = 0;

  constructor(chunker: Chunker, takeChunks: TakeChunks) {
    this.chunker = chunker;
    this.takeChunks = takeChunks;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.cutBytes + this.fill - this.start;
  }

  /** A part of the slab to write into, never empty, at most `wantedBytes` long. */
  async room(wantedBytes: number): Promise<Uint8Array> {
    const { slab } = this.chunker;
    if (this.fill === slab.length) await this.cut(false);
    if (this.fill === slab.length) {
      slab.copyWithin(0, this.start, this.fill);
      this.fill -= this.start;
      this.start = 0;
    }
    return slab.subarray(this.fill, Math.min(slab.length, this.fill + wantedBytes));
  }

  /** Says that so many bytes of the last room were written. */
  wrote(countBytes: number): void {
    this.fill += countBytes;
  }

  /** Cuts what is left. The slab is free for another stream afterwards. */
  async finish(): Promise<void> {
    await this.cut(true);
    this.start = 0;
    this.fill = 0;
  }

  /** The slices of a range of the finished stream. */
  slices(from: number, to: number): Slice[] {
    const slices: Slice[] = [];
    let index = this.indexOfChunkAt(from);
    let position = from;
    while (position < to) {
      const chunk = this.chunks[index] as StreamChunk;
      const chunkStart = index === 0 ? 0 : (this.chunks[index - 1] as StreamChunk).end;
      const length = Math.min(chunk.end, to) - position;
      slices.push({ chunkId: chunk.id, offset: position - chunkStart, length });
      position += length;
      index += 1;
    }
    return slices;
  }

  private async cut(isFinal: boolean): Promise<void> {
    const ends = this.chunker.cut(this.start, this.fill, isFinal);
    if (ends.length === 0) return;
    const pieces: Uint8Array[] = [];
    let pieceStart = this.start;
    for (const end of ends) {
      pieces.push(this.chunker.slab.subarray(pieceStart, end));
      pieceStart = end;
    }
    const ids = await this.takeChunks(pieces);
    for (const [index, id] of ids.entries()) {
      this.chunks.push({ id, end: this.cutBytes + (ends[index] as number) - this.start });
    }
    this.cutBytes += pieceStart - this.start;
    this.start = pieceStart;
  }

  /** The chunk that holds the byte at `position`, by bisection. */
  private indexOfChunkAt(position: number): number {
    let low = 0;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.chunks[middle] as StreamChunk).end <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
