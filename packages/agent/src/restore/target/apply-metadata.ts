import { displayName } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import type { EntryType, ExtendedAttribute } from '@cofre/shared/format/entry';
import { systemErrorCode } from '../../platform/system-error.ts';
import type { ObjectAccess } from './object-access.ts';
import { ACCESS_ACL, DEFAULT_ACL, isAcl, modeWithoutAcl } from './posix-acl.ts';
import type { ObjectMetadata, TargetProblem, TargetProblemKind } from './target.ts';

const SETUID = 0o4000;
const SETGID = 0o2000;
/** Within these seconds every file system keeps whole seconds exactly; only others are read back. */
const SAFE_TIMES_NS = { least: 0n, most: 2n ** 31n * 1_000_000_000n } as const;

/**
 * Sets everything on an object that is complete but for its metadata. What may not be set or cannot be kept
 * here becomes a problem, and the rest is set all the same; other errors are thrown. The order matters:
 *
 * 1. owner: changing it clears setuid, setgid and capabilities;
 * 2. extended attributes, while the mode still lets its owner write;
 * 3. mode: without ACLs at first, so that nobody is let in by the group bits, which hold an ACL's mask;
 * 4. ACLs, which complete the group bits;
 * 5. times.
 */
export function applyMetadata(
  object: ObjectAccess,
  path: ByteString,
  metadata: ObjectMetadata,
): TargetProblem[] {
  const problems = new Problems(path);
  const owned = setOwner(object, metadata, problems);
  const acls: ExtendedAttribute[] = [];
  for (const attribute of metadata.xattrs ?? []) {
    if (isAcl(attribute)) acls.push(attribute);
    else setAttribute(object, attribute, problems);
  }
  if (metadata.inheritsAcl) removeInherited(object, metadata.type);
  if (metadata.type !== 'symlink') {
    const mode = withoutUnownedBits(metadata, owned, problems);
    problems.during('mode-not-set', mode.toString(8), () => object.setMode(modeWithoutAcl(mode, acls)));
  }
  for (const acl of acls) setAttribute(object, acl, problems);
  setTimes(object, metadata, problems);
  return problems.found;
}

/** Sets what may be set of owner and group; tells which of them stand now. */
function setOwner(object: ObjectAccess, { uid, gid }: ObjectMetadata, problems: Problems) {
  if (uid === undefined && gid === undefined) return { uid: false, gid: false };
  if (isPermitted(() => object.setOwner(uid, gid))) return { uid: uid !== undefined, gid: gid !== undefined };
  problems.add('owner-not-set', `${uid ?? ''}:${gid ?? ''}`);
  return { uid: false, gid: gid !== undefined && isPermitted(() => object.setOwner(undefined, gid)) };
}

/** Not root, or a user namespace without that number: whoever restores keeps the file. */
function isPermitted(set: () => void): boolean {
  try {
    set();
    return true;
  } catch (error) {
    if (!['EPERM', 'EINVAL', 'ENOTSUP'].includes(systemErrorCode(error) ?? '')) throw error;
    return false;
  }
}

/** A setuid bit must not make somebody else's program run as whoever restored it. On folders it only inherits. */
function withoutUnownedBits(
  { type, mode }: ObjectMetadata,
  owned: { uid: boolean; gid: boolean },
  problems: Problems,
): number {
  if (type === 'directory') return mode;
  const unowned = (owned.uid ? 0 : SETUID) | (owned.gid ? 0 : SETGID);
  if ((mode & unowned) !== 0) problems.add('setuid-left-out', (mode & unowned).toString(8));
  return mode & ~unowned;
}

function setAttribute(object: ObjectAccess, { name, value }: ExtendedAttribute, problems: Problems): void {
  // A full disk shows otherwise: here ENOSPC means that the file system has no room for this attribute.
  problems.during('xattr-not-set', displayName(name), () => object.setAttribute(name, value));
}

/** Those of the entry are set afterwards. */
function removeInherited(object: ObjectAccess, type: EntryType): void {
  for (const name of type === 'directory' ? [ACCESS_ACL, DEFAULT_ACL] : [ACCESS_ACL]) {
    try {
      object.removeAttribute(name);
    } catch (error) {
      if (!['ENODATA', 'ENOTSUP'].includes(systemErrorCode(error) ?? '')) throw error;
    }
  }
}

function setTimes(object: ObjectAccess, { atimeNs, mtimeNs }: ObjectMetadata, problems: Problems): void {
  const isSet = problems.during('times-not-set', String(mtimeNs), () =>
    object.setTimes({ atimeNs, mtimeNs }),
  );
  if (!isSet || (mtimeNs >= SAFE_TIMES_NS.least && mtimeNs < SAFE_TIMES_NS.most)) return;
  const kept = object.modificationTimeNs();
  if (kept !== mtimeNs) problems.add('times-not-set', `${mtimeNs}, kept as ${kept}`);
}

class Problems {
  readonly found: TargetProblem[] = [];
  readonly #path: ByteString;

  constructor(path: ByteString) {
    this.#path = path;
  }

  add(kind: TargetProblemKind, detail: string): void {
    this.found.push({ kind, path: this.#path, detail });
  }

  /** Runs `set`; a system error becomes a problem. */
  during(kind: TargetProblemKind, detail: string, set: () => void): boolean {
    try {
      set();
      return true;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      this.add(kind, `${detail} (${code})`);
      return false;
    }
  }
}
