import type { ByteString } from '@cofre/shared/bytes';
import type { Entry, Extent } from '@cofre/shared/format/entry';
import { makeHardLinkAt, makeNodeAt, makeSymlinkAt, removeFileAt, renameAt } from '../../platform/posix.ts';
import { systemError, systemErrorCode } from '../../platform/system-error.ts';
import { applyMetadata } from './apply-metadata.ts';
import { splitCatalogPath } from './catalog-path.ts';
import { EntryMetadata } from './entry-metadata.ts';
import { ExistingThings, temporaryName } from './existing.ts';
import type { FreeName } from './existing.ts';
import { DescriptorAccess, NameAccess } from './object-access.ts';
import { openTargetFolder } from './open-target.ts';
import { TargetFolders } from './target-folders.ts';
import type { TargetFolder } from './target-folders.ts';
import { problemFrom, TargetTally } from './target-problem.ts';
import type {
  FilePlace,
  ObjectMetadata,
  RestoreTarget,
  TargetOptions,
  TargetProblem,
  TargetReport,
} from './target.ts';

interface Remembered {
  readonly path: ByteString;
  readonly entry: Entry;
}

const EINVAL = 22;

/** Opens a folder as the target of a restore; see `openTargetFolder` for what is refused, and how. */
export function openRestoreTarget(target: string, options: TargetOptions): RestoreTarget {
  const { folder, isEmpty } = openTargetFolder(target, options.existing);
  try {
    return new DiskTarget(new TargetFolders(folder, isEmpty), options);
  } catch (error) {
    folder.close();
    throw error;
  }
}

class DiskTarget implements RestoreTarget {
  readonly #options: TargetOptions;
  readonly #folders: TargetFolders;
  readonly #tally = new TargetTally();
  readonly #existing: ExistingThings;
  readonly #metadata: EntryMetadata;
  readonly #symbolicLinks: Remembered[] = [];
  readonly #hardLinks: { readonly path: ByteString; readonly first: ByteString }[] = [];
  readonly #folderMetadata: { readonly path: ByteString; readonly metadata: ObjectMetadata }[] = [];

  constructor(folders: TargetFolders, options: TargetOptions) {
    this.#options = options;
    this.#folders = folders;
    this.#existing = new ExistingThings(options.existing, folders, this.#tally);
    this.#metadata = new EntryMetadata(options, this.#tally);
  }

  add(path: ByteString, entry: Entry): void {
    if (entry.hardLinkTo !== undefined) this.#hardLinks.push({ path, first: entry.hardLinkTo });
    else if (entry.type === 'symlink') this.#symbolicLinks.push({ path, entry });
    else if (entry.type === 'directory') this.#counting(path, () => this.#addFolder(path, entry));
    else if (entry.type === 'file' || entry.type === 'stream') {
      throw new RangeError('files with content are placed, not added');
    } else this.#counting(path, () => this.#addNode(path, entry));
  }

  addUnknownFolder(path: ByteString): void {
    this.#counting(path, () => {
      if (this.#makeFolder(path)) this.#tally.made.folders++;
    });
  }

  placeFile(path: ByteString, entry: Entry): FilePlace | null {
    let place: FilePlace | null = null;
    this.#counting(path, () => {
      const { folder, name } = this.#openParent(path);
      const free = folder === null ? null : this.#existing.nameFor(folder, path, name);
      if (folder === null || free === null) return;
      this.#folders.pin(folder);
      const metadata = this.#metadata.of(path, entry, folder.inheritsAcl);
      const endsInHole = endOf(entry.holes?.at(-1)) === entry.size;
      place = { path, folder: folder.handle.fd, ...free, sizeBytes: entry.size, endsInHole, metadata };
    });
    return place;
  }

  fileDone(place: FilePlace, problems: readonly TargetProblem[]): void {
    const parts = splitCatalogPath(place.path);
    if (parts !== null) this.#folders.unpin(parts.folder);
    this.#fail(...problems);
    if (!problems.some(({ kind }) => kind === 'not-restored')) this.#tally.made.files++;
  }

  finish(): TargetReport {
    for (const { path, entry } of this.#symbolicLinks) {
      this.#counting(path, () => this.#makeSymbolicLink(path, entry));
    }
    for (const { path, first } of this.#hardLinks) {
      this.#counting(path, () => this.#makeHardLink(path, first));
    }
    // Backwards, what is inside comes before the folder: its own mode may shut it, and times stay as they are set.
    for (const { path, metadata } of this.#folderMetadata.toReversed()) {
      this.#counting(path, () => {
        const folder = this.#folders.open(path);
        if (typeof folder === 'string') return;
        this.#tally.add(...applyMetadata(new DescriptorAccess(folder.handle.fd), path, metadata));
      });
    }
    return this.#tally.report();
  }

  close(): void {
    this.#folders.close();
  }

  #addFolder(path: ByteString, entry: Entry): void {
    if (path !== '' && !this.#makeFolder(path)) return;
    this.#tally.made.folders++;
    const keepsItsOwn = this.#folders.isJoined(path) && this.#options.existing !== 'replace';
    if (keepsItsOwn) return;
    this.#folderMetadata.push({ path, metadata: this.#metadata.of(path, entry, false) });
  }

  /** False when the folder is left out by policy. */
  #makeFolder(path: ByteString): boolean {
    const { folder: parent, name } = this.#openParent(path);
    if (parent === null) return false;
    try {
      return this.#existing.makeFolder(parent, path, name);
    } catch (error) {
      // What is below it is counted where it is met; nothing else may take its place.
      this.#folders.leaveOut(path, 'not-restored');
      throw error;
    }
  }

  #addNode(path: ByteString, entry: Entry): void {
    const { type, device } = entry;
    if (type !== 'fifo' && type !== 'character-device' && type !== 'block-device') return;
    if (type !== 'fifo' && !this.#options.devices) {
      this.#tally.add({ kind: 'device-left-out', path, detail: type });
      return;
    }
    const isMade = this.#make(path, entry, (folder, name) => {
      makeNodeAt(folder.handle.fd, name, type, 0o600, device);
    });
    if (isMade) this.#tally.made.specials++;
  }

  #makeSymbolicLink(path: ByteString, entry: Entry): void {
    const target = entry.linkTarget;
    if (target === undefined || target === '') throw systemError(EINVAL, 'symlink', path);
    if (this.#make(path, entry, (folder, name) => makeSymlinkAt(folder.handle.fd, name, target))) {
      this.#tally.made.links++;
    }
  }

  #makeHardLink(path: ByteString, first: ByteString): void {
    const parts = splitCatalogPath(first);
    if (parts === null) throw systemError(EINVAL, 'link', first);
    const from = this.#folders.open(parts.folder);
    if (typeof from === 'string' || this.#existing.isNotRestored(first)) {
      this.#leaveOutHardLink(path);
      return;
    }
    this.#folders.pin(from);
    try {
      const isMade = this.#make(path, null, (to, name) => {
        makeHardLinkAt(from.handle.fd, this.#folders.actualName(first), to.handle.fd, name);
      });
      if (isMade) this.#tally.made.links++;
    } finally {
      this.#folders.unpin(from.path);
    }
  }

  /** The file that it is a name of is not restored, perhaps because what is there is kept: as it is here, then. */
  #leaveOutHardLink(path: ByteString): void {
    const { folder, name } = this.#openParent(path);
    if (folder === null || this.#existing.keepsWhatIsAt(folder, path, name)) return;
    const detail = 'the file that it is a hard link of is not restored';
    this.#tally.add({ kind: 'not-restored', path, detail });
  }

  /** Makes something that has no content under its name or, to replace what is there, under another at first. */
  #make(
    path: ByteString,
    entry: Entry | null,
    make: (folder: TargetFolder, name: ByteString) => void,
  ): boolean {
    const { folder, name } = this.#openParent(path);
    const free = folder === null ? null : this.#existing.nameFor(folder, path, name);
    if (folder === null || free === null) return false;
    const currentName = free.replaces ? temporaryName() : free.name;
    make(folder, currentName);
    if (entry !== null) {
      const metadata = this.#metadata.of(path, entry, folder.inheritsAcl && entry.type !== 'symlink');
      this.#tally.add(...applyMetadata(new NameAccess(folder.handle, currentName), path, metadata));
    }
    if (free.replaces) putInPlace(folder, currentName, free);
    return true;
  }

  /** The folder of `path`; null, and counted, when it is left out. */
  #openParent(path: ByteString): { folder: TargetFolder | null; name: ByteString } {
    const parts = splitCatalogPath(path);
    if (parts === null) throw systemError(EINVAL, 'open', path);
    const folder = this.#folders.open(parts.folder);
    if (typeof folder !== 'string') return { folder, name: parts.name };
    this.#tally.add({ kind: folder, path, detail: 'its folder was left out' });
    return { folder: null, name: parts.name };
  }

  #fail(...problems: readonly TargetProblem[]): void {
    this.#tally.add(...problems);
    for (const problem of problems) {
      if (problem.kind === 'not-restored') this.#existing.markNotRestored(problem.path);
    }
  }

  /** Runs `work` for one entry; a system error is counted, a full target ends everything. */
  #counting(path: ByteString, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(problemFrom(error, path));
    }
  }
}

function endOf(extent: Extent | undefined): number | undefined {
  return extent && extent.offset + extent.length;
}

function putInPlace(folder: TargetFolder, currentName: ByteString, { name }: FreeName): void {
  renameAt(folder.handle.fd, currentName, folder.handle.fd, name);
  try {
    // Renaming one name of an object to another of its names does nothing: the first would stay.
    removeFileAt(folder.handle.fd, currentName);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}
