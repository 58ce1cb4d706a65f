import { CofreError } from '@cofre/shared/errors';
import { releaseMemory } from '@cofre/shared/release-memory';
import { decodeFrameHeader, FRAME_HEADER_BYTES } from '@cofre/shared/wire/chunk-frames';
import { ServerAway } from './server-away.ts';
import type { ReceivedChunk } from './server-client.ts';

/**
 * Takes the frames of one answer apart while it comes in, holding one blob at most. A blob is valid until the next
 * frame is asked for.
 * @throws ServerAway when the stream ends before its end frame, CofreError `protocol` when it is no such stream
 */
export async function* readChunkFrames(source: AsyncIterable<Buffer>): AsyncGenerator<ReceivedChunk> {
  const feed = new ByteFeed(source);
  try {
    for (let count = 0; ; count += 1) {
      const { status, length, chunkId } = decodeFrameHeader(await feed.take(FRAME_HEADER_BYTES));
      if (status === 'end') {
        if (length !== count) refuse(`an answer of ${count} frames that says it has ${length}`);
        if (!(await feed.isAtEnd())) refuse('bytes behind the last frame');
        return;
      }
      if (status !== 'found' && length !== 0) refuse(`a frame without a blob of ${length} bytes`);
      yield { chunkId, status, blob: await feed.take(length) };
    }
  } finally {
    feed.release();
  }
}

function refuse(problem: string): never {
  throw new CofreError('protocol', { problem });
}

/** Reads exact lengths from a stream of pieces; gives a view of a piece where it can, else of its own buffer. */
class ByteFeed {
  readonly #source: AsyncIterator<Buffer>;
  #piece: Buffer = Buffer.alloc(0);
  #scratch: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next `length` bytes, valid until the next call. */
  async take(length: number): Promise<Buffer> {
    if (this.#piece.length === 0 && length > 0) await this.#next();
    if (this.#piece.length >= length) return this.#consume(length);
    if (this.#scratch.length < length) this.#scratch = exchangeScratch(this.#scratch, length);
    for (let filled = 0; filled < length;) {
      if (this.#piece.length === 0) await this.#next();
      const part = this.#consume(Math.min(length - filled, this.#piece.length));
      filled += part.copy(this.#scratch, filled);
    }
    return this.#scratch.subarray(0, length);
  }

  /** Gives its own buffer back: blobs that it gave are not valid any more. */
  release(): void {
    keepScratch(this.#scratch);
    this.#scratch = Buffer.alloc(0);
  }

  async isAtEnd(): Promise<boolean> {
    return this.#piece.length === 0 && (await this.#source.next()).done === true;
  }

  #consume(length: number): Buffer {
    const taken = this.#piece.subarray(0, length);
    this.#piece = this.#piece.subarray(length);
    return taken;
  }

  async #next(): Promise<void> {
    do {
      const next = await this.#source.next();
      if (next.done === true) throw new ServerAway('the answer was cut');
      this.#piece = next.value;
    } while (this.#piece.length === 0);
  }
}

/**
 * Buffers of answers that have ended, for those that come: getting and freeing megabytes for each answer would
 * leave the memory of a long restore full of gaps.
 */
const spareScratches: Buffer[] = [];
const SPARE_SCRATCHES_MAX = 2;
const SCRATCH_UNIT_BYTES = 512 * 1024;

/** A buffer of at least `bytes`, for one that is too small. */
function exchangeScratch(tooSmall: Buffer, bytes: number): Buffer {
  keepScratch(tooSmall);
  const fitting = spareScratches.findIndex(({ length }) => length >= bytes);
  const [spare] = fitting < 0 ? [] : spareScratches.splice(fitting, 1);
  return spare ?? Buffer.allocUnsafeSlow(Math.ceil(bytes / SCRATCH_UNIT_BYTES) * SCRATCH_UNIT_BYTES);
}

/** Keeps the largest ones. */
function keepScratch(scratch: Buffer): void {
  if (scratch.length === 0) return;
  spareScratches.push(scratch);
  if (spareScratches.length <= SPARE_SCRATCHES_MAX) return;
  spareScratches.sort((a, b) => b.length - a.length);
  const smallest = spareScratches.pop();
  if (smallest !== undefined) releaseMemory(smallest);
}
