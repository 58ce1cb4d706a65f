import { open, type FileHandle } from 'node:fs/promises';
import { CofreError } from '@cofre/shared/errors';
import { BLOB_TYPES } from '@cofre/shared/format/envelope/blob';
import {
  decodePackTail,
  PACK_END_BYTES,
  PACK_HEADER_BYTES,
  packTailLengthFromEnd,
  type PackEntry,
} from '@cofre/shared/format/envelope/pack';
import { sha256 } from '@cofre/shared/hash';
import { LIMITS } from '@cofre/shared/limits';
import { isUnreadable } from '../../platform/storage-failure.ts';
import type { LiveBlob } from '../index/repack.store.ts';
import type { PackRow } from '../index/verify.store.ts';
import { PackInspector } from '../scrub/pack-inspector.ts';

/** A blob as it stands in a pack, its bytes proven by the trailer that came with them. */
export interface ProvenBlob {
  readonly entry: PackEntry;
  /** Valid until the next one is read. */
  readonly bytes: Buffer;
}

/**
 * A pack that is read blob by blob, each compared with the hash in the pack's trailer, which is the one that was received.
 * In memory are the trailer and one blob.
 */
export class PackSource {
  private readonly file: FileHandle;
  private readonly entries: ReadonlyMap<number, PackEntry>;
  private readonly onRead: (bytes: number) => Promise<void>;
  private buffer = Buffer.alloc(0);

  private constructor(
    file: FileHandle,
    entries: ReadonlyMap<number, PackEntry>,
    onRead: (bytes: number) => Promise<void>,
  ) {
    this.file = file;
    this.entries = entries;
    this.onRead = onRead;
  }

  /**
   * @param onRead is told of each read before it happens, and may put it off
   * @throws CofreError `damaged` when file or trailer are not what was received; as `open` does
   */
  static async open(
    path: string,
    pack: { readonly length: number; readonly hash: Uint8Array },
    onRead: (bytes: number) => Promise<void>,
  ): Promise<PackSource> {
    const file = await open(path, 'r');
    try {
      return new PackSource(file, await readTrailer(file, pack), onRead);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * The same for a pack whose trailer is altered, if its blobs prove what stood in it. It is read whole for that.
   * @returns null when nothing of it can be proven, or it is gone
   */
  static async prove(
    path: string,
    pack: PackRow,
    onRead: (bytes: number) => Promise<void>,
  ): Promise<PackSource | null> {
    await onRead(pack.length);
    const inspection = await new PackInspector(() => undefined).inspect(path, pack);
    if (inspection.status !== 'proven') return null;
    const byOffset = new Map<number, PackEntry>(inspection.blobs.map((blob) => [blob.offset, blob]));
    return new PackSource(await open(path, 'r'), byOffset, onRead);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** Null when the bytes are not those that came, or not this row's, or the disk has lost them. */
  async read({ offset, length, chunkId, type }: LiveBlob): Promise<ProvenBlob | null> {
    const entry = this.entries.get(offset);
    const isOfRow =
      entry?.length === length &&
      BLOB_TYPES[entry.type] === type &&
      entry.chunkId === Buffer.from(chunkId).toString('hex');
    if (!isOfRow) return null;
    const bytes = await this.readBlob(offset, length);
    return bytes !== null && sha256(bytes).equals(entry.sha256) ? { entry, bytes } : null;
  }

  private async readBlob(offset: number, length: number): Promise<Buffer | null> {
    if (this.buffer.length < length) this.buffer = Buffer.allocUnsafe(length);
    try {
      for (let done = 0; done < length;) {
        const wanted = Math.min(LIMITS.repackReadBytes, length - done);
        await this.onRead(wanted);
        const { bytesRead } = await this.file.read(this.buffer, done, wanted, offset + done);
        if (bytesRead === 0) return null;
        done += bytesRead;
      }
    } catch (error) {
      if (isUnreadable(error)) return null;
      throw error;
    }
    return this.buffer.subarray(0, length);
  }
}

/** The trailer's entries by their offsets, when the trailer is the one that was received. */
async function readTrailer(
  file: FileHandle,
  pack: { readonly length: number; readonly hash: Uint8Array },
): Promise<Map<number, PackEntry>> {
  const { size } = await file.stat();
  if (size !== pack.length) refuse(`it is ${size} bytes long instead of ${pack.length}`);
  const end = await readExactly(file, size - PACK_END_BYTES, PACK_END_BYTES);
  const tailLength = packTailLengthFromEnd(end);
  if (tailLength > size - PACK_HEADER_BYTES) refuse('the trailer is longer than the pack');
  const tail = decodePackTail(await readExactly(file, size - tailLength, tailLength));
  if (!tail.packHash.equals(pack.hash)) refuse('the trailer is of another pack');
  const byOffset = new Map<number, PackEntry>();
  let offset = PACK_HEADER_BYTES;
  for (const entry of tail.entries) {
    byOffset.set(offset, entry);
    offset += entry.length;
  }
  return byOffset;
}

async function readExactly(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  if (bytesRead < length) refuse('it ends too early');
  return buffer;
}

function refuse(problem: string): never {
  throw new CofreError('damaged', { what: 'A pack', problem });
}
