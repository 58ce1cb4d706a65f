import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { createHash } from 'node:crypto';
import { displayName } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import type { Extent } from '@cofre/shared/format/entry';
import type { TreeFolder } from './tree-folder.ts';

export interface TreeDifference {
  /** Relative to the roots; `.` for the roots themselves. */
  readonly path: ByteString;
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
}

/** What node:fs cannot see. */
export interface TreeView {
  /** Names and values of an object that is not followed when it is a link. */
  extendedAttributes(path: Buffer): ReadonlyMap<string, Uint8Array>;
  /** Where an open file holds data, ascending. */
  dataExtents(descriptor: number, sizeBytes: number): readonly Extent[];
}

const READ_BYTES = 1 << 20;
const SECTOR_BYTES = 512n;
const BLOCK_BYTES = 4096n;
const EXTENTS_SHOWN_MAX = 20;
const VALUE_SHOWN_BYTES_MAX = 64;
const FILE_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

type FolderPair = readonly [expected: TreeFolder, actual: TreeFolder];
type StatusPair = readonly [expected: BigIntStats, actual: BigIntStats];

/** Compares entries one by one; remembers hard-linked objects, whose groups must be the same on both sides. */
export class EntryComparison {
  readonly #view: TreeView | null;
  readonly #actualOfExpected = new Map<string, LinkedObject>();
  readonly #expectedOfActual = new Map<string, LinkedObject>();
  readonly #buffers = [Buffer.alloc(READ_BYTES), Buffer.alloc(READ_BYTES)] as const;

  constructor(view: TreeView | null) {
    this.#view = view;
  }

  /** Compares `name` in both folders; true when both are folders to go into. */
  *entry(path: ByteString, name: ByteString, pair: FolderPair): Generator<TreeDifference, boolean> {
    const status: StatusPair = [pair[0].status(name), pair[1].status(name)];
    if (typeName(status[0]) !== typeName(status[1])) {
      yield { path, what: 'type', expected: typeName(status[0]), actual: typeName(status[1]) };
      return false;
    }
    yield* this.#metadata(path, name, pair, status);
    if (status[0].isDirectory()) return true;
    yield* this.#hardLinks(path, status);
    if (status[0].isFile()) yield* this.#file(path, name, pair, status);
    else if (status[0].isSymbolicLink()) {
      yield* different(path, 'link target', linkTarget(pair[0], name), linkTarget(pair[1], name));
    } else if (status[0].isCharacterDevice() || status[0].isBlockDevice()) {
      yield* different(path, 'device number', status[0].rdev, status[1].rdev);
    }
    return false;
  }

  *#metadata(path: ByteString, name: ByteString, pair: FolderPair, [expected, actual]: StatusPair) {
    yield* different(path, 'mode', octalMode(expected), octalMode(actual));
    yield* different(path, 'uid', expected.uid, actual.uid);
    yield* different(path, 'gid', expected.gid, actual.gid);
    yield* different(path, 'mtime', expected.mtimeNs, actual.mtimeNs);
    const view = this.#view;
    if (view === null) return;
    const [left, right] = pair.map((folder) => view.extendedAttributes(folder.at(name)));
    for (const attribute of new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])) {
      const shown = displayName(attribute as ByteString);
      const values = [shownValue(left?.get(attribute)), shownValue(right?.get(attribute))];
      yield* different(path, `xattr ${shown}`, values[0], values[1]);
    }
  }

  *#hardLinks(path: ByteString, [expected, actual]: StatusPair): Generator<TreeDifference> {
    if (expected.nlink === 1n && actual.nlink === 1n) return;
    const keys = [`${expected.dev}:${expected.ino}`, `${actual.dev}:${actual.ino}`] as const;
    const inActual = remembered(this.#actualOfExpected, keys[0], { other: keys[1], path });
    const inExpected = remembered(this.#expectedOfActual, keys[1], { other: keys[0], path });
    if (inActual.other !== keys[1]) {
      yield* different(path, 'hard link', `same as ${displayName(inActual.path)}`, 'another object');
    } else if (inExpected.other !== keys[0]) {
      yield* different(path, 'hard link', 'another object', `same as ${displayName(inExpected.path)}`);
    }
  }

  *#file(path: ByteString, name: ByteString, pair: FolderPair, [expected, actual]: StatusPair) {
    yield* different(path, 'size', expected.size, actual.size);
    if (expected.size !== actual.size) return;
    const files = pair.map((folder) => openOrNull(folder.at(name)));
    const [left = null, right = null] = files;
    try {
      if (left !== null && right !== null) yield* this.#content(path, left, right);
      else yield* different(path, 'readable', left !== null, right !== null);
    } finally {
      for (const file of files) if (file !== null) closeSync(file);
    }
  }

  *#content(path: ByteString, expected: number, actual: number): Generator<TreeDifference> {
    const [left, right] = [fstatSync(expected, { bigint: true }), fstatSync(actual, { bigint: true })];
    const size = Number(left.size);
    let ranges: readonly Extent[] = [{ offset: 0, length: size }];
    if (this.#view !== null) {
      const extents = [this.#view.dataExtents(expected, size), this.#view.dataExtents(actual, size)] as const;
      const shown = extents.map(shownExtents);
      yield* different(path, 'data extents', shown[0], shown[1]);
      const allowed = left.blocks * SECTOR_BYTES + BigInt(extents[0].length + 1) * BLOCK_BYTES;
      if (right.blocks * SECTOR_BYTES > allowed) {
        yield* different(path, 'allocated bytes', `at most ${allowed}`, right.blocks * SECTOR_BYTES);
      }
      // Where neither side has data both read as zeros; everywhere else the bytes themselves are compared.
      ranges = shown[0] === shown[1] ? extents[0] : extents.flat();
    }
    for (const range of ranges) {
      const found = this.#firstDifference(expected, actual, range);
      if (found !== null) {
        yield { path, ...found };
        return;
      }
    }
  }

  #firstDifference(expected: number, actual: number, { offset, length }: Extent) {
    const [left, right] = this.#buffers;
    for (let done = 0; done < length;) {
      const wanted = Math.min(READ_BYTES, length - done);
      const lengths = [
        readSync(expected, left, 0, wanted, offset + done),
        readSync(actual, right, 0, wanted, offset + done),
      ] as const;
      const sides = [left.subarray(0, lengths[0]), right.subarray(0, lengths[1])] as const;
      if (!sides[0].equals(sides[1])) {
        const at = sides[0].findIndex((byte, index) => byte !== sides[1][index]);
        const place = `byte ${offset + done + (at === -1 ? lengths[0] : at)} of`;
        const [expectedHash, actualHash] = sides.map((side) => hash(side).slice(0, 16));
        return { what: 'content', expected: `${place} ${expectedHash}`, actual: `${place} ${actualHash}` };
      }
      if (lengths[0] === 0) return null;
      done += lengths[0];
    }
    return null;
  }
}

interface LinkedObject {
  readonly other: string;
  readonly path: ByteString;
}

function remembered(objects: Map<string, LinkedObject>, key: string, object: LinkedObject): LinkedObject {
  const known = objects.get(key);
  if (known === undefined) objects.set(key, object);
  return known ?? object;
}

function* different(path: ByteString, what: string, expected: unknown, actual: unknown) {
  if (expected !== actual) {
    yield { path, what, expected: String(expected), actual: String(actual) } satisfies TreeDifference;
  }
}

function openOrNull(path: Buffer): number | null {
  try {
    return openSync(path, FILE_FLAGS);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return null;
    throw error;
  }
}

function linkTarget(folder: TreeFolder, name: ByteString): string {
  // Printable and unambiguous, whatever the bytes.
  return JSON.stringify(readlinkSync(folder.at(name), 'latin1'));
}

function octalMode(status: BigIntStats): string {
  return `0o${(status.mode & 0o7777n).toString(8)}`;
}

function typeName(status: BigIntStats): string {
  if (status.isFile()) return 'file';
  if (status.isDirectory()) return 'directory';
  if (status.isSymbolicLink()) return 'symlink';
  if (status.isFIFO()) return 'fifo';
  if (status.isSocket()) return 'socket';
  return status.isCharacterDevice() ? 'character-device' : 'block-device';
}

function shownValue(value: Uint8Array | undefined): string {
  if (value === undefined) return 'absent';
  if (value.length > VALUE_SHOWN_BYTES_MAX) return `${value.length} bytes, SHA-256 ${hash(value)}`;
  return `${value.length} bytes ${Buffer.from(value).toString('hex')}`;
}

function shownExtents(extents: readonly Extent[]): string {
  const shown = extents.slice(0, EXTENTS_SHOWN_MAX).map((one) => `${one.offset}-${one.offset + one.length}`);
  const more = extents.length - shown.length;
  // The count stands in even where the first ones agree, so that a difference further on is seen.
  return shown.join(', ') + (more > 0 ? ` and ${more} more, ${hash(JSON.stringify(extents))}` : '');
}

function hash(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
