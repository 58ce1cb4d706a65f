import { isUtf8 } from 'node:buffer';
import { CofreError } from '../errors.ts';
import type { ByteString } from '../bytes.ts';

/**
 * Reads what {@link ByteWriter} wrote, from bytes that nobody vouches for: whatever would pass the end, is
 * not minimal or is out of range is refused as `damaged`, named by `what`.
 */
export class ByteReader {
  private readonly buffer: Buffer;
  private readonly what: string;
  private position: number;
  private readonly end: number;

  constructor(data: Uint8Array, what: string, start = 0, end = data.length) {
    this.buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.what = what;
    this.position = start;
    this.end = end;
  }

  get offset(): number {
    return this.position;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  u8(): number {
    return this.buffer[this.advance(1)] as number;
  }

  u16(): number {
    return this.buffer.readUInt16LE(this.advance(2));
  }

  u32(): number {
    return this.buffer.readUInt32LE(this.advance(4));
  }

  u64(): bigint {
    return this.buffer.readBigUInt64LE(this.advance(8));
  }

  i64(): bigint {
    return this.buffer.readBigInt64LE(this.advance(8));
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && count > 0) this.refuse('a number is not in its shortest form');
        if (!Number.isSafeInteger(value)) this.refuse('a number is too large');
        return value;
      }
      scale *= 0x80;
    }
    return this.refuse('a number is too long');
  }

  /** A view of the next bytes; it shares memory with the input. */
  bytes(countBytes: number): Buffer {
    const start = this.advance(countBytes);
    return this.buffer.subarray(start, start + countBytes);
  }

  latin1(countBytes: number): ByteString {
    const start = this.advance(countBytes);
    return this.buffer.toString('latin1', start, start + countBytes) as ByteString;
  }

  /** Bytes behind their length; a length above `bytesMax` is refused before anything is read. */
  sized(bytesMax: number): Buffer {
    return this.bytes(this.bounded(bytesMax));
  }

  sizedLatin1(bytesMax: number): ByteString {
    return this.latin1(this.bounded(bytesMax));
  }

  /** UTF-8 that says how long it is; what is not UTF-8 is refused. */
  sizedText(bytesMax: number): string {
    return this.asText(this.sized(bytesMax));
  }

  /** All that is left, as UTF-8. */
  restAsText(): string {
    return this.asText(this.bytes(this.remaining));
  }

  /** A reader of the next `countBytes` alone. */
  inner(countBytes: number): ByteReader {
    const start = this.advance(countBytes);
    return new ByteReader(this.buffer, this.what, start, start + countBytes);
  }

  expectEnd(): void {
    if (this.position !== this.end) this.refuse(`${this.end - this.position} bytes too many`);
  }

  refuse(problem: string): never {
    throw new CofreError('damaged', { what: this.what, problem });
  }

  private asText(bytes: Buffer): string {
    if (!isUtf8(bytes)) this.refuse('a text is not UTF-8');
    return bytes.toString('utf8');
  }

  private bounded(bytesMax: number): number {
    const length = this.varint();
    if (length > bytesMax) this.refuse(`a field of ${length} bytes, at most ${bytesMax} are allowed`);
    return length;
  }

  private advance(countBytes: number): number {
    const start = this.position;
    if (start + countBytes > this.end) this.refuse('it ends too early');
    this.position = start + countBytes;
    return start;
  }
}
