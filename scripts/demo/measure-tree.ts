import { lstatSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { DemoFailure } from './demo-failure.ts';

export interface TreeSize {
  readonly files: number;
  readonly folders: number;
  /** Links, pipes and devices. */
  readonly others: number;
  /** Of all files together, as long as they are. */
  readonly bytes: number;
  /** The same, as much as they take on the disk: holes do not count. */
  readonly diskBytes: number;
  /** What could not be looked into. */
  readonly unreadable: number;
  /** False when it was too large, and counting stopped. */
  readonly isWhole: boolean;
}

export interface TreeBounds {
  readonly filesMax: number;
  readonly bytesMax: number;
}

export interface FoundFile {
  readonly path: Buffer;
  readonly folder: Buffer;
  readonly size: number;
  readonly links: number;
}

const NO_BOUNDS: TreeBounds = { filesMax: Infinity, bytesMax: Infinity };
const BLOCK_BYTES = 512;

/**
 * Counts what is in a folder, links not followed, and stops when it is more than `bounds` allow.
 * @param onFile called for each regular file; names may be any bytes
 */
export async function measureTree(
  root: string,
  bounds: TreeBounds = NO_BOUNDS,
  onFile: (file: FoundFile) => void = () => {},
): Promise<TreeSize> {
  const size = { files: 0, folders: 0, others: 0, bytes: 0, diskBytes: 0, unreadable: 0 };
  const pending = [Buffer.from(root)];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    size.folders += 1;
    const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' }).catch(() => null);
    if (entries === null) size.unreadable += 1;
    for (const entry of entries ?? []) {
      const path = Buffer.concat([folder, Buffer.from('/'), entry.name]);
      if (entry.isDirectory()) pending.push(path);
      else if (!entry.isFile()) size.others += 1;
      else {
        const status = statusOrNull(path);
        if (status === null) size.unreadable += 1;
        else {
          size.files += 1;
          size.bytes += status.size;
          size.diskBytes += status.blocks * BLOCK_BYTES;
          onFile({ path, folder, size: status.size, links: status.nlink });
        }
      }
    }
    if (size.files > bounds.filesMax || size.bytes > bounds.bytesMax) return { ...size, isWhole: false };
  }
  return { ...size, isWhole: true };
}

/** Synchronous: a folder at a time is waited for, and a million promises for files would take minutes. */
function statusOrNull(path: Buffer): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}

/** How much the files of a folder take. @throws DemoFailure when it cannot be seen */
export async function bytesIn(folder: string): Promise<number> {
  const { bytes, unreadable } = await measureTree(folder);
  if (unreadable > 0) throw new DemoFailure(`${folder} cannot be looked into.`);
  return bytes;
}
