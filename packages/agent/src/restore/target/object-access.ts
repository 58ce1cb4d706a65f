import fs from 'node:fs';
import type { ByteString } from '@cofre/shared/bytes';
import { removeExtendedAttribute, setExtendedAttribute } from '../../platform/extended-attributes.ts';
import type { FolderHandle } from '../../platform/folder-handle.ts';
import { changeOwnerAt, openAt, setTimes, setTimesAt } from '../../platform/posix.ts';
import type { FileTimes } from '../../platform/posix.ts';

/** Tells chown to leave owner or group as it is. */
const UNCHANGED = 0xffffffff;
// Not in fs.constants; the same on every 64-bit Linux that Node runs on.
const O_PATH = 0o10000000;

/** Sets metadata of one object without ever following a link. All calls throw system errors. */
export interface ObjectAccess {
  modificationTimeNs(): bigint;
  /** Undefined leaves owner or group as it is. */
  setOwner(uid: number | undefined, gid: number | undefined): void;
  setMode(mode: number): void;
  setAttribute(name: ByteString, value: Uint8Array): void;
  removeAttribute(name: ByteString): void;
  setTimes(times: FileTimes): void;
}

/** Access to an open file or folder. */
export class DescriptorAccess implements ObjectAccess {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  modificationTimeNs(): bigint {
    return fs.fstatSync(this.#descriptor, { bigint: true }).mtimeNs;
  }

  setOwner(uid = UNCHANGED, gid = UNCHANGED): void {
    fs.fchownSync(this.#descriptor, uid, gid);
  }

  setMode(mode: number): void {
    fs.fchmodSync(this.#descriptor, mode);
  }

  setAttribute(name: ByteString, value: Uint8Array): void {
    setExtendedAttribute(this.#descriptor, name, value);
  }

  removeAttribute(name: ByteString): void {
    removeExtendedAttribute(this.#descriptor, name);
  }

  setTimes(times: FileTimes): void {
    setTimes(this.#descriptor, times);
  }
}

/** Access to what must not be opened (FIFOs, devices) or cannot be (symbolic links), by its name in a folder. */
export class NameAccess implements ObjectAccess {
  readonly #folder: FolderHandle;
  readonly #name: ByteString;

  constructor(folder: FolderHandle, name: ByteString) {
    this.#folder = folder;
    this.#name = name;
  }

  modificationTimeNs(): bigint {
    return fs.lstatSync(this.#path, { bigint: true }).mtimeNs;
  }

  setOwner(uid = UNCHANGED, gid = UNCHANGED): void {
    changeOwnerAt(this.#folder.fd, this.#name, uid, gid);
  }

  /** chmod follows links, and what is here now may be one later: a descriptor holds on to the object. */
  setMode(mode: number): void {
    const descriptor = openAt(this.#folder.fd, this.#name, O_PATH | fs.constants.O_NOFOLLOW);
    try {
      fs.chmodSync(`/proc/self/fd/${descriptor}`, mode);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  setAttribute(name: ByteString, value: Uint8Array): void {
    setExtendedAttribute(this.#path, name, value);
  }

  removeAttribute(name: ByteString): void {
    removeExtendedAttribute(this.#path, name);
  }

  setTimes(times: FileTimes): void {
    setTimesAt(this.#folder.fd, this.#name, times);
  }

  get #path(): Buffer {
    return this.#folder.childPath(this.#name);
  }
}
