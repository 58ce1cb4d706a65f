import { open, type FileHandle } from 'node:fs/promises';
import {
  encodePackTail,
  PACK_HEADER,
  PACK_HEADER_BYTES,
  type PackEntry,
  type PackKind,
} from '@cofre/shared/format/envelope/pack';
import { LIMITS } from '@cofre/shared/limits';
import { syncFile } from '../../platform/durable-files.ts';
import type { ProvenBlob } from './pack-source.ts';

/** Writes a pack of blobs that were proven, one after the other; it holds their entries, not their bytes. */
export class PackWriter {
  private readonly file: FileHandle;
  private readonly path: string;
  private readonly kind: PackKind;
  private readonly entries: PackEntry[] = [];
  private lengthBytes = PACK_HEADER_BYTES;

  private constructor(file: FileHandle, path: string, kind: PackKind) {
    this.file = file;
    this.path = path;
    this.kind = kind;
  }

  /** @param path of a temporary file that is not there yet */
  static async create(path: string, kind: PackKind): Promise<PackWriter> {
    const file = await open(path, 'wx', 0o600);
    const writer = new PackWriter(file, path, kind);
    try {
      await writer.write(PACK_HEADER, 0);
    } catch (error) {
      await file.close();
      throw error;
    }
    return writer;
  }

  /** Whether a blob of this length still belongs into this pack: the first one always does. */
  hasRoomFor(length: number): boolean {
    if (this.entries.length === 0) return true;
    const isSmall = this.lengthBytes + length <= LIMITS.repackBytesTarget;
    return isSmall && this.entries.length < LIMITS.repackBlobsMax;
  }

  get blobs(): number {
    return this.entries.length;
  }

  async append({ entry, bytes }: ProvenBlob): Promise<void> {
    await this.write(bytes, this.lengthBytes);
    this.lengthBytes += bytes.length;
    this.entries.push(entry);
  }

  /** Writes the trailer and makes the file's content durable. */
  async finish(): Promise<{ lengthBytes: number; hash: Buffer }> {
    const { tail, packHash } = encodePackTail({ kind: this.kind, entries: this.entries });
    await this.write(tail, this.lengthBytes);
    // Without this rows could point to bytes that are only in memory, while the pack that had them is unlinked.
    await syncFile(this.file, this.path);
    return { lengthBytes: this.lengthBytes + tail.length, hash: packHash };
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private async write(bytes: Buffer, offset: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      // A full disk shortens a write before it fails one.
      done += (await this.file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
    }
  }
}
