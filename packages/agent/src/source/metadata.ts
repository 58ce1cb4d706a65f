import type { ByteString } from '@cofre/shared/bytes';
import type { Entry, EntryType, ExtendedAttribute } from '@cofre/shared/format/entry';
import type { AccountNames } from '../platform/account-names.ts';
import { getExtendedAttribute, listExtendedAttributes } from '../platform/extended-attributes.ts';
import type { AttributeTarget } from '../platform/extended-attributes.ts';
import type { FileStatus } from '../platform/file-status.ts';
import { withReachablePath } from '../platform/folder-handle.ts';
import { CURRENT_FOLDER } from '../platform/libc.ts';
import { readLinkAt } from '../platform/posix.ts';
import { systemErrorCode } from '../platform/system-error.ts';

/** What an entry says about an object besides its content, as far as the object itself tells it. */
export type EntryMetadata = Pick<
  Entry,
  | 'type'
  | 'mode'
  | 'uid'
  | 'gid'
  | 'userName'
  | 'groupName'
  | 'mtimeNs'
  | 'atimeNs'
  | 'size'
  | 'xattrs'
  | 'linkTarget'
  | 'device'
>;

export interface MetadataResult {
  readonly metadata: EntryMetadata;
  /** What could not be read; everything else is in the metadata. */
  readonly problems: readonly AttributeProblem[];
}

export interface AttributeProblem {
  /** Undefined when not even the names of the attributes could be read. */
  readonly attribute: ByteString | undefined;
  /** Code of a system error, such as `EACCES`. */
  readonly code: string;
}

export interface MetadataOptions {
  /** Access times change without anybody's doing, and with them the catalog: left out unless asked for. */
  readonly accessTimes?: boolean;
  /** For a folder above a root (`ancestor` in a walk), in whose place a link may be that leads to it. */
  readonly followLink?: boolean;
}

/** Behind the path of a folder: makes the kernel follow a link in its place. */
const SELF = Buffer.from('/.');

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/**
 * Completes the status of an object to its metadata: link target, names of the owners, extended attributes
 * of every namespace that may be read (POSIX ACLs and capabilities among them), sorted by name.
 *
 * `source` is an absolute path of any length, or the descriptor of an open regular file or folder. Throws
 * system errors when the object has gone (ENOENT), or is no longer the link that it was (EINVAL); RangeError
 * for a type that no catalog holds.
 */
export function readMetadata(
  source: ByteString | number,
  status: FileStatus,
  names: AccountNames,
  options: MetadataOptions = {},
): MetadataResult {
  const metadata = metadataFromStatus(status, names, options);
  if (typeof source === 'number') {
    return { metadata, problems: addAttributes(metadata, source) };
  }
  return withReachablePath(source, (reachable) => {
    if (metadata.type === 'symlink') metadata.linkTarget = readLinkAt(CURRENT_FOLDER, reachable);
    const target = options.followLink === true ? Buffer.concat([reachable, SELF]) : reachable;
    return { metadata, problems: addAttributes(metadata, target) };
  });
}

function metadataFromStatus(
  status: FileStatus,
  names: AccountNames,
  options: MetadataOptions,
): Mutable<EntryMetadata> {
  const { uid, gid, mtimeNs } = status;
  const type = catalogType(status);
  const size = type === 'file' ? status.sizeBytes : 0;
  const metadata: Mutable<EntryMetadata> = { type, mode: status.mode, uid, gid, mtimeNs, size };
  const userName = names.userName(uid);
  if (userName !== undefined) metadata.userName = userName;
  const groupName = names.groupName(gid);
  if (groupName !== undefined) metadata.groupName = groupName;
  if (options.accessTimes === true) metadata.atimeNs = status.atimeNs;
  if (type === 'character-device' || type === 'block-device') {
    metadata.device = { major: status.deviceMajor, minor: status.deviceMinor };
  }
  return metadata;
}

function catalogType({ type }: FileStatus): EntryType {
  if (type === 'socket' || type === 'unknown') throw new RangeError(`no catalog holds a ${type}`);
  return type;
}

/** Sets `xattrs` when there are any. */
function addAttributes(metadata: Mutable<EntryMetadata>, target: AttributeTarget): AttributeProblem[] {
  const problems: AttributeProblem[] = [];
  const attributes: ExtendedAttribute[] = [];
  for (const name of attributeNames(target, problems)) {
    try {
      const value = getExtendedAttribute(target, name);
      // Null: removed since it was listed.
      if (value !== null) attributes.push({ name, value });
    } catch (error) {
      problems.push({ attribute: name, code: codeOf(error) });
    }
  }
  if (attributes.length > 0) metadata.xattrs = attributes;
  return problems;
}

function attributeNames(target: AttributeTarget, problems: AttributeProblem[]): ByteString[] {
  try {
    return listExtendedAttributes(target).sort();
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw error;
    // A file system without attributes has none.
    if (code !== 'ENOTSUP') problems.push({ attribute: undefined, code });
    return [];
  }
}

/** The code of a system error; any other error is a fault of the program and goes on. */
function codeOf(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return code;
}
