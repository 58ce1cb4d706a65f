import { open, type FileHandle } from 'node:fs/promises';
import { isNotThere } from '../../platform/storage-failure.ts';

interface OpenPack {
  readonly opening: Promise<FileHandle | null>;
  users: number;
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
      if (file === null) {
        this.files.delete(path);
        return null;
      }
      return await readFully(file, offset, length);
    } catch (error) {
      this.files.delete(path);
      throw error;
    } finally {
      pack.users -= 1;
      await this.closeUnused();
    }
  }

  async close(): Promise<void> {
    const packs = [...this.files.values()];
    this.files.clear();
    for (const { opening } of packs) await (await opening)?.close();
  }

  private use(path: string): OpenPack {
    const pack = this.files.get(path) ?? { opening: openIfThere(path), users: 0 };
    this.files.delete(path);
    this.files.set(path, pack);
    pack.users += 1;
    return pack;
  }

  private async closeUnused(): Promise<void> {
    for (const [path, pack] of this.files) {
      if (this.files.size <= this.filesMax) return;
      if (pack.users > 0) continue;
      this.files.delete(path);
      await (await pack.opening)?.close();
    }
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isNotThere(error)) return null;
    throw error;
  }
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
