import fs from 'node:fs';
import { randomBytes } from 'node:crypto';
import { displayName } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { removeFileAt, removeFolderAt } from '../../platform/posix.ts';
import { systemErrorCode } from '../../platform/system-error.ts';
import { NameAccess } from './object-access.ts';
import type { TargetFolder, TargetFolders } from './target-folders.ts';
import type { TargetTally } from './target-problem.ts';
import type { ExistingPolicy } from './target.ts';

/** Where to make something: the name, and whether what has it now is to be replaced at the end. */
export interface FreeName {
  readonly name: ByteString;
  readonly replaces: boolean;
}

const NAME_BYTES_MAX = 255;

/** Carries out the policy for what stands in the target already. */
export class ExistingThings {
  readonly #policy: ExistingPolicy;
  readonly #folders: TargetFolders;
  readonly #tally: TargetTally;
  /** Names that were given out (`FOLDER/NAME`), perhaps not made yet. */
  readonly #givenOut = new Set<string>();
  readonly #notRestored = new Set<ByteString>();

  constructor(policy: ExistingPolicy, folders: TargetFolders, tally: TargetTally) {
    this.#policy = policy;
    this.#folders = folders;
    this.#tally = tally;
  }

  /** The name for something that is no folder; null when what is there is kept. Throws system errors. */
  nameFor(folder: TargetFolder, path: ByteString, name: ByteString): FreeName | null {
    if (folder.isFresh) return { name, replaces: false };
    const existing = this.#typeOf(folder, name);
    if (existing === null) return { name, replaces: false };
    if (this.#policy === 'keep' || this.#policy === 'refuse') {
      this.#keep(path);
      return null;
    }
    if (this.#policy === 'rename') return { name: this.#rename(folder, path, name), replaces: false };
    // Only an empty folder makes way: a restored file must not remove a tree.
    if (existing === 'folder') removeFolderAt(folder.handle.fd, name);
    return { name, replaces: existing === 'other' };
  }

  /** Whether something is there and stays there: then it is counted. Throws system errors. */
  keepsWhatIsAt(folder: TargetFolder, path: ByteString, name: ByteString): boolean {
    const isKeeping = this.#policy === 'keep' || this.#policy === 'refuse';
    if (!isKeeping || folder.isFresh || this.#typeOf(folder, name) === null) return false;
    this.#keep(path);
    return true;
  }

  /** Makes a folder or joins the one that is there; false when the policy leaves it out. Throws system errors. */
  makeFolder(parent: TargetFolder, path: ByteString, name: ByteString): boolean {
    const existing = parent.isFresh ? null : this.#typeOf(parent, name);
    if (existing === 'folder') {
      this.#folders.markFound(path);
      if (this.#policy === 'replace') letOwnerIn(parent, name);
      return true;
    }
    if (existing === 'other') {
      if (this.#policy === 'keep' || this.#policy === 'refuse') {
        this.#folders.leaveOut(path, 'kept-existing');
        this.#keep(path);
        return false;
      }
      if (this.#policy === 'replace') removeFileAt(parent.handle.fd, name);
      else this.#rename(parent, path, name);
    }
    this.#makeOnce(parent, path, name);
    return true;
  }

  /** Says that the object which the snapshot has at `path` is not there, whatever else may be. */
  markNotRestored(path: ByteString): void {
    this.#notRestored.add(path);
  }

  isNotRestored(path: ByteString): boolean {
    return this.#notRestored.has(path);
  }

  /** Several restored paths may have their first folders in common. */
  #makeOnce(parent: TargetFolder, path: ByteString, name: ByteString): void {
    try {
      this.#folders.make(parent, path);
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST' || this.#typeOf(parent, name) !== 'folder') throw error;
    }
  }

  #keep(path: ByteString): void {
    this.markNotRestored(path);
    this.#tally.add({ kind: 'kept-existing', path, detail: '' });
  }

  #rename(folder: TargetFolder, path: ByteString, name: ByteString): ByteString {
    for (let number = 1; ; number++) {
      const suffix = `.restored-${number}`;
      const other = `${name.slice(0, NAME_BYTES_MAX - suffix.length)}${suffix}` as ByteString;
      if (this.#typeOf(folder, other) !== null) continue;
      this.#givenOut.add(`${folder.path}/${other}`);
      this.#folders.setActualName(path, other);
      this.#tally.add({ kind: 'renamed', path, detail: displayName(other) });
      return other;
    }
  }

  #typeOf(folder: TargetFolder, name: ByteString): 'folder' | 'other' | null {
    if (this.#givenOut.has(`${folder.path}/${name}`)) return 'other';
    try {
      return fs.lstatSync(folder.handle.childPath(name)).isDirectory() ? 'folder' : 'other';
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return null;
      throw error;
    }
  }
}

/** Opens a folder that shuts out its own owner, who is not root: its mode is replaced at the end anyway. */
function letOwnerIn(parent: TargetFolder, name: ByteString): void {
  const { uid, mode } = fs.lstatSync(parent.handle.childPath(name));
  if (uid === 0 || uid !== process.geteuid?.() || (mode & 0o700) === 0o700) return;
  new NameAccess(parent.handle, name).setMode((mode & 0o7777) | 0o700);
}

/** A name for something that is not complete yet and will replace something then. */
export function temporaryName(): ByteString {
  return `.cofre-restore-${randomBytes(8).toString('hex')}` as ByteString;
}
