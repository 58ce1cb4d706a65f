/**
 * A growing buffer with the primitive encodings of every Cofre format: little-endian integers of fixed
 * width, and minimal LEB128 variable integers up to 2^53 − 1.
 */
export class ByteWriter {
  private buffer: Buffer;
  private used = 0;

  constructor(capacityBytes = 1024) {
    this.buffer = Buffer.allocUnsafe(capacityBytes);
  }

  get length(): number {
    return this.used;
  }

  u8(value: number): this {
    this.reserve(1);
    this.buffer[this.used++] = value;
    return this;
  }

  u16(value: number): this {
    this.reserve(2);
    this.used = this.buffer.writeUInt16LE(value, this.used);
    return this;
  }

  u32(value: number): this {
    this.reserve(4);
    this.used = this.buffer.writeUInt32LE(value, this.used);
    return this;
  }

  u64(value: bigint): this {
    this.reserve(8);
    this.used = this.buffer.writeBigUInt64LE(value, this.used);
    return this;
  }

  i64(value: bigint): this {
    this.reserve(8);
    this.used = this.buffer.writeBigInt64LE(value, this.used);
    return this;
  }

  /** @param value a whole number from 0 to 2^53 − 1 */
  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`no variable integer: ${value}`);
    this.reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.used++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.used++] = rest;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.reserve(value.length);
    this.buffer.set(value, this.used);
    this.used += value.length;
    return this;
  }

  /** A string with one byte a character (see `ByteString`), without a length. */
  latin1(value: string): this {
    this.reserve(value.length);
    this.used += this.buffer.write(value, this.used, 'latin1');
    return this;
  }

  /** Bytes behind their length as a variable integer. */
  sized(value: Uint8Array): this {
    return this.varint(value.length).bytes(value);
  }

  sizedLatin1(value: string): this {
    return this.varint(value.length).latin1(value);
  }

  /** Forgets what was written and keeps the memory. */
  clear(): this {
    this.used = 0;
    return this;
  }

  /** What was written, as a view that the next write may overwrite. */
  view(): Buffer {
    return this.buffer.subarray(0, this.used);
  }

  /** A copy of what was written. */
  take(): Buffer {
    return Buffer.from(this.view());
  }

  private reserve(countBytes: number): void {
    const needed = this.used + countBytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.used);
    this.buffer = grown;
  }
}
