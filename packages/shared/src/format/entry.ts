import type { ByteString } from '../bytes.ts';
import type { ChunkId } from '../ids.ts';

/**
 * What a catalog says about one path: everything that a restore needs and nothing that only change
 * detection needs (that lives in the agent's cache). `docs/format.md` gives the bytes.
 */
export interface Entry {
  readonly type: EntryType;
  /** Permission, setuid, setgid and sticky bits only (`0o7777`). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names of owner and group where the machine knew them. */
  readonly userName?: string;
  readonly groupName?: string;
  /** Nanoseconds since 1970, negative before it. */
  readonly mtimeNs: bigint;
  readonly atimeNs?: bigint;
  readonly birthtimeNs?: bigint;
  /** Length of the content in bytes, holes included; 0 for what has no content. */
  readonly size: number;
  readonly xattrs?: readonly ExtendedAttribute[];
  /** Raw target of a symbolic link. */
  readonly linkTarget?: ByteString;
  /**
   * Set on every name of a hard-linked object but the first in catalog order: the catalog path of that
   * first name, which carries the content.
   */
  readonly hardLinkTo?: ByteString;
  readonly device?: DeviceNumber;
  /** Ranges of a sparse file that hold no data, ascending, not touching. Content skips them. */
  readonly holes?: readonly Extent[];
  /** The content in order: slices of chunks, concatenated, are the file without its holes. */
  readonly content?: readonly Slice[];
  readonly flags?: EntryFlags;
  /** Windows and macOS: kept byte for byte, filled by agents on those systems. */
  readonly windowsAttributes?: number;
  readonly securityDescriptor?: Uint8Array;
  readonly namedStreams?: readonly NamedStream[];
  readonly nameEncoding?: NameEncoding;
}

export type EntryType =
  'file' | 'directory' | 'symlink' | 'fifo' | 'character-device' | 'block-device' | 'stream';

/** How the bytes of a name are to be read; `posix` (raw bytes) where it is not said. */
export type NameEncoding = 'posix' | 'utf16le' | 'utf8-nfd';

export interface ExtendedAttribute {
  readonly name: ByteString;
  readonly value: Uint8Array;
}

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** `length` bytes from `offset`. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** `length` bytes from `offset` inside the plaintext of one chunk. */
export interface Slice {
  readonly chunkId: ChunkId;
  readonly offset: number;
  readonly length: number;
}

export interface NamedStream {
  readonly name: ByteString;
  readonly size: number;
  readonly content: readonly Slice[];
}

export interface EntryFlags {
  /** The file changed while it was read: the content is what was read, perhaps of no single moment. */
  readonly changedWhileRead?: boolean;
  /** Could not be read in this run: the entry is an earlier run's, since when and why. */
  readonly stale?: StaleMark;
  /** The content was not on this machine (a cloud placeholder). */
  readonly placeholder?: boolean;
}

export interface StaleMark {
  readonly sinceNs: bigint;
  /** A stable code such as `EACCES`. */
  readonly reason: string;
}

/** Why an entry is stale whose content, or a part of it, the server lost before it could be read again. */
export const LOST_REASON = 'lost';

/**
 * Whether an entry stands for a file whose content was lost: it is a placeholder, what is left of the content is
 * there, and holes stand for the rest. Nobody may take it for the file.
 */
export function hasLostContent({ flags }: Pick<Entry, 'flags'>): boolean {
  return flags?.placeholder === true && flags.stale?.reason === LOST_REASON;
}
