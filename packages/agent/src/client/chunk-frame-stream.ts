import { CofreError } from '@cofre/shared/errors';
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
    if (this.#scratch.length < length) this.#scratch = Buffer.allocUnsafeSlow(length);
    for (let filled = 0; filled < length;) {
      if (this.#piece.length === 0) await this.#next();
      const part = this.#consume(Math.min(length - filled, this.#piece.length));
      filled += part.copy(this.#scratch, filled);
    }
    return this.#scratch.subarray(0, length);
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
