import type { ByteString } from '@cofre/shared/bytes';
import type { Entry } from '@cofre/shared/format/entry';
import type { OwnerNumbers } from './owner-numbers.ts';
import { readOwnerNumbers } from './owner-numbers.ts';
import type { TargetTally } from './target-problem.ts';
import type { ObjectMetadata, TargetOptions } from './target.ts';

const SETUID_AND_SETGID = 0o6000;

/** Makes of an entry what is to be set on its object under the options of a restore. */
export class EntryMetadata {
  readonly #options: TargetOptions;
  readonly #tally: TargetTally;
  readonly #numbers: OwnerNumbers | null;
  readonly #ownIds = new OwnIds();

  constructor(options: TargetOptions, tally: TargetTally) {
    this.#options = options;
    this.#tally = tally;
    this.#numbers = options.owners === 'names' ? readOwnerNumbers() : null;
  }

  of(path: ByteString, entry: Entry, inheritsAcl: boolean): ObjectMetadata {
    return {
      type: entry.type,
      mode: this.#mode(path, entry),
      ...this.#owner(entry),
      mtimeNs: entry.mtimeNs,
      ...(entry.atimeNs === undefined ? {} : { atimeNs: entry.atimeNs }),
      ...(entry.xattrs === undefined ? {} : { xattrs: entry.xattrs }),
      inheritsAcl,
    };
  }

  #mode(path: ByteString, { type, mode }: Entry): number {
    const isDangerous = type !== 'directory' && (mode & SETUID_AND_SETGID) !== 0;
    if (!isDangerous || this.#options.setuid) return mode;
    this.#tally.add({ kind: 'setuid-left-out', path, detail: (mode & SETUID_AND_SETGID).toString(8) });
    return mode & ~SETUID_AND_SETGID;
  }

  #owner({ uid, gid, userName, groupName }: Entry): { uid?: number; gid?: number } {
    if (this.#options.owners === 'leave') return {};
    if (this.#options.owners === 'own') return this.#ownIds.of(uid, gid);
    const user = userName === undefined ? undefined : this.#numbers?.user(userName);
    const group = groupName === undefined ? undefined : this.#numbers?.group(groupName);
    return { uid: user ?? uid, gid: group ?? gid };
  }
}

/** The numbers that this process may give to its own files. */
class OwnIds {
  readonly #user = process.geteuid?.();
  readonly #groups = new Set([process.getegid?.(), ...(process.getgroups?.() ?? [])]);

  of(uid: number, gid: number): { uid?: number; gid?: number } {
    return { ...(uid === this.#user ? { uid } : {}), ...(this.#groups.has(gid) ? { gid } : {}) };
  }
}
