import fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { ByteWriter } from '@cofre/shared/encoding/byte-writer';

const BLOCK_BYTES = 128 * 1024;
const BLOCK_BYTES_MAX = 64 * 1024 * 1024;
const BLOCK_HEADER_BYTES = 8;

/** What a record may take at most: a block is as large as the records in it. */
export const RECORD_BYTES_MAX = BLOCK_BYTES_MAX - 2 * BLOCK_BYTES;

/** A file of blocks: length u32 ‖ CRC-32 u32 ‖ bytes. Records never span blocks. Not durable by itself. */
export class BlockWriter {
  private readonly fd: number;
  private readonly block = new ByteWriter(BLOCK_BYTES + 4096);

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Where records are written; call {@link endRecord} after each. */
  get target(): ByteWriter {
    return this.block;
  }

  /** Whether the next record begins a block: then nothing before it may be referred to. */
  get isAtBlockStart(): boolean {
    return this.block.length === 0;
  }

  endRecord(): void {
    if (this.block.length >= BLOCK_BYTES) this.flush();
  }

  flush(): void {
    if (this.block.length === 0) return;
    const payload = this.block.view();
    const header = Buffer.alloc(BLOCK_HEADER_BYTES);
    header.writeUInt32LE(payload.length, 0);
    header.writeUInt32LE(crc32(payload), 4);
    writeFully(this.fd, header);
    writeFully(this.fd, payload);
    this.block.clear();
  }
}

/** Reads the blocks of a file in order; null at its end, and where it is cut off or does not match. */
export class BlockReader {
  private readonly fd: number;
  private readonly end: number;
  private offset: number;

  /** @param end where the blocks end in the file */
  constructor(fd: number, position: number, end: number) {
    this.fd = fd;
    this.offset = position;
    this.end = end;
  }

  /** Where the next block begins. */
  get position(): number {
    return this.offset;
  }

  next(): Buffer | null {
    const header = this.read(BLOCK_HEADER_BYTES);
    if (header === null) return null;
    const length = header.readUInt32LE(0);
    if (length === 0 || length > BLOCK_BYTES_MAX) return null;
    const payload = this.read(length);
    return payload !== null && crc32(payload) === header.readUInt32LE(4) ? payload : null;
  }

  private read(lengthBytes: number): Buffer | null {
    if (this.offset + lengthBytes > this.end) return null;
    const target = Buffer.allocUnsafe(lengthBytes);
    let filled = 0;
    while (filled < lengthBytes) {
      const count = fs.readSync(this.fd, target, filled, lengthBytes - filled, this.offset);
      if (count === 0) return null;
      filled += count;
      this.offset += count;
    }
    return target;
  }
}

/** Writes all of it where the file's position is. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += fs.writeSync(fd, bytes, written, bytes.length - written);
}
