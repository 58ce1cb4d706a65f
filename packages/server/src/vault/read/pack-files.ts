import { open, type FileHandle } from 'node:fs/promises';
import { isNotThere } from '../../platform/storage-failure.ts';

interface OpenPack {
  readonly opening: Promise<FileHandle | null>;
  users: number;
  /** It is in no list any more. */
  isForgotten: boolean;
}

/** A file that stays open. What `read` gives is shorter than asked for at the file's end only. */
export interface HeldPack {
  read(offset: number, length: number): Promise<Buffer>;
  /** To be called once. */
  letGo(): Promise<void>;
}

/**
 * Open files of packs, shared by all readers: packs are immutable, so that a file once opened stays right. The one
 * unused for longest is closed first; one that is being read is never closed.
 */
export class PackFiles {
  private readonly filesMax: number;
  private readonly files = new Map<string, OpenPack>();

  constructor(filesMax: number) {
    this.filesMax = filesMax;
  }

  /** Reads up to `length` bytes; fewer at the end of the file. Null when there is no such file. */
  async read(path: string, offset: number, length: number): Promise<Buffer | null> {
    const pack = this.use(path);
    try {
      const file = await pack.opening;
      if (file === null) this.forget(path, pack);
      return file === null ? null : await readFully(file, offset, length);
    } catch (error) {
      this.forget(path, pack);
      throw error;
    } finally {
      await this.leave(pack);
    }
  }

  /**
   * Keeps a file open until it is let go of, so that what is read of it belongs together even if its name goes.
   * Null when there is no such file.
   */
  async hold(path: string): Promise<HeldPack | null> {
    const pack = this.use(path);
    const file = await pack.opening.catch(() => null);
    if (file !== null) {
      return { read: (offset, length) => readFully(file, offset, length), letGo: () => this.leave(pack) };
    }
    this.forget(path, pack);
    await this.leave(pack);
    // Fails as opening did, unless there is no such file.
    await pack.opening;
    return null;
  }

  /** A file whose name is gone gives its space back once nobody has it open. */
  async forgetUnlinked(path: string): Promise<void> {
    const pack = this.files.get(path);
    if (pack === undefined) return;
    this.forget(path, pack);
    if (pack.users === 0) await closeOpened(pack);
  }

  async close(): Promise<void> {
    const packs = [...this.files.values()];
    this.files.clear();
    for (const pack of packs) await closeOpened(pack);
  }

  /** The next one who asks opens it anew; the last of those who have it closes it. */
  private forget(path: string, pack: OpenPack): void {
    pack.isForgotten = true;
    if (this.files.get(path) === pack) this.files.delete(path);
  }

  private use(path: string): OpenPack {
    const pack = this.files.get(path) ?? { opening: openIfThere(path), users: 0, isForgotten: false };
    this.files.delete(path);
    this.files.set(path, pack);
    pack.users += 1;
    return pack;
  }

  private async leave(pack: OpenPack): Promise<void> {
    pack.users -= 1;
    if (pack.isForgotten && pack.users === 0) await closeOpened(pack);
    await this.closeUnused();
  }

  private async closeUnused(): Promise<void> {
    for (const [path, pack] of this.files) {
      if (this.files.size <= this.filesMax) return;
      if (pack.users > 0) continue;
      this.files.delete(path);
      await closeOpened(pack);
    }
  }
}

async function closeOpened(pack: OpenPack): Promise<void> {
  const file = await pack.opening.catch(() => null);
  await file?.close();
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isNotThere(error)) return null;
    throw error;
  }
}

/** Smaller reads may lie in a pool that others share. */
const FREED_BYTES_MIN = 128 * 1024;

/** Frees the memory of what was read; it is empty afterwards, and so is every view of it. */
export function freeRead({ buffer }: Buffer): void {
  if (buffer.byteLength >= FREED_BYTES_MIN && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

async function readFully(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}
