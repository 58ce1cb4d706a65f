import { link, mkdir, open, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isNotThere, isOutOfSpace, StorageFailure, systemErrorCode } from './storage-failure.ts';

/**
 * Makes the content of an open file durable; its name is not (see {@link syncFolder}).
 * @throws StorageFailure when the kernel can't promise it, or `ENOSPC`/`EDQUOT` as they are: then the file has
 *   to be given up, never synced again.
 */
export async function syncFile(file: FileHandle, path: string): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    if (isOutOfSpace(error)) throw error;
    throw new StorageFailure(`fsync of ${path} failed`, error);
  }
}

/**
 * Makes the names in a folder durable: files that were linked into it or unlinked from it.
 * @throws StorageFailure
 */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    throw new StorageFailure(`fsync of the folder ${path} failed`, error);
  } finally {
    await folder.close();
  }
}

/** Makes a folder and whichever parents it lacks, each synced into its own parent. Others can't enter it. */
export async function makeFolderDurably(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') {
      await makeFolderDurably(dirname(path));
      return makeFolderDurably(path);
    }
    if (code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
  // Without this the folder could vanish in a power loss together with synced files in it. Also where it was there
  // already: whoever made it may have died, or be at it right now, before this same line.
  await syncFolder(dirname(path));
}

/**
 * Writes a new file and makes its content durable; its name only after {@link syncFolder}.
 * @throws `EEXIST` when there is one of this name
 */
export async function writeFileSynced(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await syncFile(file, path);
  } finally {
    await file.close();
  }
}

/** Folders that this process made durable already, so that each costs that once. */
export class DurableFolders {
  private readonly made = new Map<string, Promise<void>>();

  /** Resolves when the folder and its name are durable; many may wait for the same one. */
  make(path: string): Promise<void> {
    let making = this.made.get(path);
    if (making === undefined) {
      making = makeFolderDurably(path);
      this.made.set(path, making);
      making.catch(() => this.made.delete(path));
    }
    return making;
  }
}

/** A file has the name already that another one was to get: it is not ours, and nobody may remove it for us. */
export class NameTaken extends Error {
  /** How many files had got their names before. */
  readonly linkedCount: number;

  constructor(path: string, linkedCount: number, cause: unknown) {
    super(`${path} is there already`, { cause });
    this.name = 'NameTaken';
    this.linkedCount = linkedCount;
  }
}

/**
 * Gives synced temporary files their final names in one folder that is durable already, and makes the names
 * durable. `link` refuses to replace what is there, where `rename` would do it silently. The temporary names stay.
 * @throws NameTaken, StorageFailure
 */
export async function publishFiles(
  files: readonly { readonly temporary: string; readonly final: string }[],
  folder: string,
): Promise<void> {
  for (const [linkedCount, { temporary, final }] of files.entries()) {
    try {
      await link(temporary, final);
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') throw new NameTaken(final, linkedCount, error);
      throw error;
    }
  }
  // Without this a power loss could take the names away after rows that point to them were committed.
  await syncFolder(folder);
}

/** Removes a file; one that is not there is fine. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (isNotThere(error)) return false;
    throw error;
  }
}
