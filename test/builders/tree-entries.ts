import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { unpackDeviceNumber } from '@cofre/agent/platform/posix';
import type { ByteString } from '@cofre/shared/bytes';
import type { Entry, EntryType, Extent } from '@cofre/shared/format/entry';
import { nativeView } from './native-view.ts';
import { TreeFolder } from './tree-folder.ts';

/** An entry of a tree and, for a file that is no further hard link, how to read its content. */
export interface TreeEntry {
  /** Relative to the tree; `''` for its root. */
  readonly path: ByteString;
  readonly entry: Entry;
  /** Data in order, holes left out; null when there is no content to read. */
  readonly content: (() => Iterable<{ bytes: Buffer; fileOffset: number }>) | null;
}

const READ_BYTES = 1 << 20;
const view = nativeView();

/**
 * Entries of a tree in catalog order, read without the agent's walk: what a restore would be given. Sockets
 * are left out. Content must be read before the next entry is taken.
 */
export function* treeEntries(root: string): Generator<TreeEntry> {
  const seen = new Map<string, ByteString>();
  let folder = TreeFolder.open(root);
  const path: ByteString[] = [];
  const pending: ByteString[][] = [namesOf(folder)];
  try {
    yield { path: '' as ByteString, entry: entryOf(folder, '.' as ByteString), content: null };
    while (pending.length > 0) {
      const name = pending.at(-1)?.pop();
      if (name === undefined) {
        pending.pop();
        if (path.pop() !== undefined) folder = moveTo(folder, folder.above());
        continue;
      }
      const status = folder.status(name);
      if (status.isSocket()) continue;
      yield treeEntry(folder, name, [...path, name].join('/') as ByteString, seen);
      if (!status.isDirectory()) continue;
      folder = moveTo(folder, folder.below(name));
      path.push(name);
      pending.push(namesOf(folder));
    }
  } finally {
    folder.close();
  }
}

function treeEntry(
  folder: TreeFolder,
  name: ByteString,
  path: ByteString,
  seen: Map<string, ByteString>,
): TreeEntry {
  const entry = entryOf(folder, name);
  if (entry.type !== 'directory') {
    const { dev, ino, nlink } = folder.status(name);
    const key = `${dev}:${ino}`;
    const hardLinkTo = seen.get(key);
    if (hardLinkTo !== undefined) return { path, entry: { ...entry, hardLinkTo }, content: null };
    if (nlink > 1n) seen.set(key, path);
  }
  if (entry.type !== 'file') return { path, entry, content: null };
  const file = folder.at(name);
  const extents = withFile(file, (descriptor) => view.dataExtents(descriptor, entry.size));
  const holes = holesBetween(extents, entry.size);
  return {
    path,
    entry: holes.length > 0 ? { ...entry, holes } : entry,
    content: () => readExtents(file, extents),
  };
}

function entryOf(folder: TreeFolder, name: ByteString): Entry {
  const status = folder.status(name);
  const type = typeOf(status);
  const xattrs = [...view.extendedAttributes(folder.at(name))].map(([attribute, value]) => {
    return { name: attribute as ByteString, value };
  });
  return {
    type,
    mode: Number(status.mode & 0o7777n),
    uid: Number(status.uid),
    gid: Number(status.gid),
    mtimeNs: status.mtimeNs,
    size: type === 'file' ? Number(status.size) : 0,
    ...(xattrs.length > 0 ? { xattrs } : {}),
    ...(type === 'symlink' ? { linkTarget: readlinkSync(folder.at(name), 'latin1') as ByteString } : {}),
    ...(type.endsWith('-device') ? { device: unpackDeviceNumber(status.rdev) } : {}),
  };
}

function typeOf(status: BigIntStats): EntryType {
  if (status.isFile()) return 'file';
  if (status.isDirectory()) return 'directory';
  if (status.isSymbolicLink()) return 'symlink';
  if (status.isFIFO()) return 'fifo';
  return status.isCharacterDevice() ? 'character-device' : 'block-device';
}

function* readExtents(file: Buffer, extents: readonly Extent[]) {
  const descriptor = openSync(file, 'r');
  try {
    for (const { offset, length } of extents) {
      for (let done = 0; done < length;) {
        const bytes = Buffer.alloc(Math.min(READ_BYTES, length - done));
        const read = readSync(descriptor, bytes, 0, bytes.length, offset + done);
        if (read === 0) return;
        yield { bytes: bytes.subarray(0, read), fileOffset: offset + done };
        done += read;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

function holesBetween(extents: readonly Extent[], size: number): Extent[] {
  const holes: Extent[] = [];
  let end = 0;
  for (const { offset, length } of [...extents, { offset: size, length: 0 }]) {
    if (offset > end) holes.push({ offset: end, length: offset - end });
    end = offset + length;
  }
  return holes;
}

function withFile<Result>(file: Buffer, use: (descriptor: number) => Result): Result {
  const descriptor = openSync(file, 'r');
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The last one first, to be taken from the end. Siblings lie in the order of their bytes. */
function namesOf(folder: TreeFolder): ByteString[] {
  return folder.names().toSorted((left, right) => (left < right ? 1 : -1));
}

function moveTo(old: TreeFolder, next: TreeFolder): TreeFolder {
  old.close();
  return next;
}
