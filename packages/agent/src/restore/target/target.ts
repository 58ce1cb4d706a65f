import type { ByteString } from '@cofre/shared/bytes';
import type { Entry, EntryType, Slice } from '@cofre/shared/format/entry';

/**
 * What to do where the target already has something of the same name. Folders are joined under every policy
 * but `refuse`; what is there is never changed under `keep` and `rename` (a joined folder keeps its own
 * metadata, the restored entry is left out or gets the name `NAME.restored-1`).
 */
export type ExistingPolicy = 'refuse' | 'keep' | 'replace' | 'rename';

/**
 * Owners by number, by the names of this machine (by number where it doesn't know the name), by number where they
 * are this user and its groups (nobody but root may set others), or not at all.
 */
export type OwnerPolicy = 'numbers' | 'names' | 'own' | 'leave';

export interface TargetOptions {
  readonly existing: ExistingPolicy;
  readonly owners: OwnerPolicy;
  /** Make device nodes; without it they are left out and reported. */
  readonly devices: boolean;
  /** Give files their setuid and setgid bits, where the owner or group that they stand for could be set. */
  readonly setuid: boolean;
}

/**
 * A folder that a tree is restored into. All paths are catalog paths: components joined by single slashes,
 * no leading slash; empty, `.`, `..` and NUL components are refused. Only the main thread uses it, and all of
 * it is synchronous. The order of calls:
 *
 * 1. `add` for every entry but regular files in catalog order (a folder before what is in it). Folders,
 *    FIFOs and devices are made at once; symbolic and hard links are remembered.
 * 2. `placeFile` for each regular file that is no further hard link, in any order, once its folder was
 *    added and its content is at hand; then the functions of `file-writer.ts`, in any thread; then
 *    `fileDone`. A place keeps its folder open: have hundreds of them at a time, in few folders.
 * 3. `finish`: symbolic links, hard links, then the metadata of folders, deepest first.
 *
 * A problem with one entry is counted and the rest goes on; a full disk throws `target_full`.
 */
export interface RestoreTarget {
  /** `''` stands for the target folder itself and only takes a directory's metadata. */
  add(path: ByteString, entry: Entry): void;
  /** Makes a folder of which only the path is known, shut to others (`0700`), where there is none. */
  addUnknownFolder(path: ByteString): void;
  /** Where to write the file; null when it is to be left out (policy or problem, which is counted). */
  placeFile(path: ByteString, entry: Entry): FilePlace | null;
  /** Says that nobody writes to the place any more, and hands in what the writers met. */
  fileDone(place: FilePlace, problems: readonly TargetProblem[]): void;
  /** Must be called once, also after some files failed. */
  finish(): TargetReport;
  /** Closes all handles; what was not finished stays as it is. Safe to call twice. */
  close(): void;
}

/** Names one file to write: plain data, so that it can be posted to a worker of this process. */
export interface FilePlace {
  readonly path: ByteString;
  /** Descriptor of the folder, open until `fileDone`. */
  readonly folder: number;
  readonly name: ByteString;
  /** Whether something of this name is there and is to be replaced once the new file is complete. */
  readonly replaces: boolean;
  /** Apparent length of the file, holes included. */
  readonly sizeBytes: number;
  /** The last bytes are a hole (`finishFile` makes it); others come about by not writing there. */
  readonly endsInHole: boolean;
  readonly metadata: ObjectMetadata;
}

/** A file that is being written. Plain data: any thread may write, one thread opens and closes it. */
export interface OpenFile {
  readonly descriptor: number;
  readonly place: FilePlace;
  /** The name it has until it is complete: the place's own, or a temporary one when it replaces something. */
  readonly currentName: ByteString;
}

/** What is set on an object after it was made; what the options say of owners and setuid is in it already. */
export interface ObjectMetadata {
  readonly type: EntryType;
  readonly mode: number;
  /** Undefined: the owner or group is left as it is. */
  readonly uid?: number;
  readonly gid?: number;
  readonly mtimeNs: bigint;
  readonly atimeNs?: bigint;
  readonly xattrs?: Entry['xattrs'];
  /** What is made in the folder gets ACLs from it, which have to be taken away again. */
  readonly inheritsAcl: boolean;
}

/** A piece of content and its place in the file: what a slice becomes once holes are known. */
export interface ContentPiece {
  readonly slice: Slice;
  /** Where the piece begins inside the chunk (not inside the slice). */
  readonly chunkOffset: number;
  readonly length: number;
  readonly fileOffset: number;
}

export type TargetProblemKind =
  /** The entry is not there. */
  | 'not-restored'
  /** The catalog's path would lead out of the target, or is none. */
  | 'unsafe-path'
  /** Left out, or given another name, because of the policy for what exists. */
  | 'kept-existing'
  | 'renamed'
  /** Left out because it was not asked for. */
  | 'device-left-out'
  /** The entry is there but lacks something. */
  | 'owner-not-set'
  | 'mode-not-set'
  | 'setuid-left-out'
  | 'xattr-not-set'
  | 'times-not-set';

export interface TargetProblem {
  readonly kind: TargetProblemKind;
  readonly path: ByteString;
  /** An errno name (`EPERM`), an attribute's name, a new name: for messages, safe to print. */
  readonly detail: string;
}

export interface TargetReport {
  readonly files: number;
  readonly folders: number;
  readonly links: number;
  readonly specials: number;
  /** How many of each kind; `samples` holds the first few of each. */
  readonly problems: Readonly<Partial<Record<TargetProblemKind, number>>>;
  readonly samples: readonly TargetProblem[];
  /** Whether every entry is there; what the policies left out, and metadata that could not be set, don't count. */
  readonly complete: boolean;
}
