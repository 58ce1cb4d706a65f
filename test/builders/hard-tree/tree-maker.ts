import { chmodSync, closeSync, constants, ftruncateSync, rmSync, writeSync } from 'node:fs';
import { setExtendedAttribute } from '@cofre/agent/platform/extended-attributes';
import { nativeFunction, lazily, pathArgument, checkResult } from '@cofre/agent/platform/libc';
import {
  changeOwnerAt,
  makeFolderAt,
  makeHardLinkAt,
  makeNodeAt,
  makeSymlinkAt,
  openAt,
  setTimesAt,
} from '@cofre/agent/platform/posix';
import { byteStringFromText } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import type { DeviceNumber } from '@cofre/shared/format/entry';
import type { SeededRandom } from '../seeded-random.ts';
import type { TreeFolder } from '../tree-folder.ts';

/** What could not be made here, and why (the error's code, or what is lacking). */
export interface NotMade {
  readonly what: string;
  readonly why: string;
}

export interface MadeMetadata {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtimeNs?: bigint;
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

/** Bytes at places of a file; what lies between them is a hole. */
export interface DataExtent {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const S_IFSOCK = 0o140000;
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

const calls = lazily(() => ({
  mknodat: nativeFunction<[number, Buffer, number, number]>(
    'int mknodat(int folder, const void *path, unsigned int mode, uint64_t device)',
  ),
}));

/**
 * Makes objects in one folder, by descriptor, so that no path is too long. Names are byte strings, or text
 * that is taken as UTF-8. Everything made gets a seeded time of change, unless one is given.
 */
export class TreeMaker {
  readonly folder: TreeFolder;
  readonly random: SeededRandom;
  readonly notMade: NotMade[];

  constructor(folder: TreeFolder, random: SeededRandom, notMade: NotMade[]) {
    this.folder = folder;
    this.random = random;
    this.notMade = notMade;
  }

  /** Makes a folder, lets `fill` work in it, and sets its metadata after that. */
  inFolder(name: string, fill: (inside: TreeMaker) => void = () => {}, metadata: MadeMetadata = {}): void {
    makeFolderAt(this.folder.descriptor, bytes(name), 0o700);
    const folder = this.folder.below(bytes(name));
    try {
      fill(new TreeMaker(folder, this.random, this.notMade));
    } finally {
      folder.close();
    }
    this.#applyOrRemove(name, { mode: 0o755, ...metadata });
  }

  /** A folder in a folder in a folder…: one is open at a time, however deep they go. */
  inNestedFolders(names: readonly string[], fill: (bottom: TreeMaker) => void): void {
    let folder = this.folder.below('.' as ByteString);
    const moveTo = (next: TreeFolder): void => {
      folder.close();
      folder = next;
    };
    try {
      for (const name of names) {
        makeFolderAt(folder.descriptor, bytes(name), 0o700);
        moveTo(folder.below(bytes(name)));
      }
      fill(new TreeMaker(folder, this.random, this.notMade));
      for (const name of names.toReversed()) {
        moveTo(folder.above());
        new TreeMaker(folder, this.random, this.notMade).apply(name, { mode: 0o755 });
      }
    } finally {
      folder.close();
    }
  }

  file(name: string, content: Uint8Array = new Uint8Array(0), metadata: MadeMetadata = {}): void {
    this.sparseFile(name, content.length, [{ offset: 0, bytes: content }], metadata);
  }

  sparseFile(name: string, size: number, data: readonly DataExtent[], metadata: MadeMetadata = {}): void {
    this.write(name, (descriptor) => {
      for (const extent of data) writeFully(descriptor, extent);
      ftruncateSync(descriptor, size);
    });
    this.#applyOrRemove(name, { mode: 0o644, ...metadata });
  }

  /** Makes a file and lets `fill` write it; metadata is not set. */
  write(name: string, fill: (descriptor: number) => void): void {
    const descriptor = openAt(this.folder.descriptor, bytes(name), CREATE_FLAGS, 0o600);
    try {
      fill(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  symlink(name: string, target: string, metadata: MadeMetadata = {}): void {
    makeSymlinkAt(this.folder.descriptor, bytes(name), bytes(target));
    this.apply(name, metadata);
  }

  /** Gives what is called `name` here one more name, in `other`. */
  hardLink(name: string, other: TreeMaker, otherName: string): void {
    makeHardLinkAt(this.folder.descriptor, bytes(name), other.folder.descriptor, bytes(otherName));
  }

  fifo(name: string, metadata: MadeMetadata = {}): void {
    makeNodeAt(this.folder.descriptor, bytes(name), 'fifo', 0o600);
    this.apply(name, { mode: 0o640, ...metadata });
  }

  device(name: string, type: 'character-device' | 'block-device', device: DeviceNumber): void {
    makeNodeAt(this.folder.descriptor, bytes(name), type, 0o600, device);
    this.apply(name, { mode: 0o660 });
  }

  socket(name: string): void {
    const result = calls().mknodat(
      this.folder.descriptor,
      pathArgument(bytes(name), 'mknod'),
      S_IFSOCK | 0o600,
      0,
    );
    checkResult(result, 'mknod', bytes(name));
    this.apply(name, {});
  }

  apply(name: string, metadata: MadeMetadata): void {
    const { mode, uid, gid, xattrs = {}, mtimeNs = this.#time() } = metadata;
    const path = this.folder.at(bytes(name));
    if (uid !== undefined || gid !== undefined) {
      const unchanged = 0xffffffff;
      changeOwnerAt(this.folder.descriptor, bytes(name), uid ?? unchanged, gid ?? unchanged);
    }
    const [acls, plain] = [true, false].map((wanted) =>
      Object.entries(xattrs).filter(([attribute]) => attribute.startsWith('system.') === wanted),
    );
    for (const [attribute, value] of plain ?? []) setExtendedAttribute(path, attribute as ByteString, value);
    if (mode !== undefined) chmodSync(path, mode);
    // ACLs come last: chmod would change their mask.
    for (const [attribute, value] of acls ?? []) setExtendedAttribute(path, attribute as ByteString, value);
    setTimesAt(this.folder.descriptor, bytes(name), { atimeNs: mtimeNs, mtimeNs });
  }

  /** Does what may be impossible here; a system error is written down and the rest goes on. */
  attempt(what: string, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined || !code.startsWith('E')) throw error;
      this.notMade.push({ what, why: code });
      return false;
    }
  }

  /** What cannot be made whole is not made at all: the same seed gives the same tree. */
  #applyOrRemove(name: string, metadata: MadeMetadata): void {
    try {
      this.apply(name, metadata);
    } catch (error) {
      rmSync(this.folder.at(bytes(name)), { recursive: true });
      throw error;
    }
  }

  /** Of the years 2001 to 2033, odd to the nanosecond. */
  #time(): bigint {
    return (
      BigInt(this.random.between(1_000_000_000, 2_000_000_000)) * 1_000_000_000n +
      BigInt(this.random.below(1e9))
    );
  }
}

/** A name as bytes: text with characters beyond one byte is UTF-8, anything else is bytes already. */
export function bytes(name: string): ByteString {
  const isText = Array.from(name).some((character) => character > '\xff');
  return isText ? byteStringFromText(name) : (name as ByteString);
}

function writeFully(descriptor: number, { offset, bytes: content }: DataExtent): void {
  for (let done = 0; done < content.length;) {
    done += writeSync(descriptor, content, done, content.length - done, offset + done);
  }
}
