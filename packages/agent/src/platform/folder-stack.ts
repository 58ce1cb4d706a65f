import type { ByteString } from '@cofre/shared/bytes';
import type { FolderHandle, LinkPolicy } from './folder-handle.ts';
import { isSameObject, statusOf } from './file-status.ts';
import type { FileStatus } from './file-status.ts';
import { systemError } from './system-error.ts';

type Identity = Pick<FileStatus, 'deviceId' | 'inode' | 'type'>;

interface Level {
  readonly name: ByteString;
  readonly links: LinkPolicy;
  handle: FolderHandle | undefined;
  /** Known once the descriptor was given up, to recognise the folder when it is opened again. */
  identity: Identity | undefined;
}

const OPEN_FOLDERS_DEFAULT = 64;
const ESTALE = 116;

/**
 * The folders from a base down to the one that is worked on, for depth-first work on trees of any depth. At
 * most `openFoldersMax` (at least 2) are open at once: the base and the deepest ones. Others are opened
 * again on return, name by name without following links; a folder that is no longer the same one by then
 * gives ESTALE.
 */
export class FolderStack {
  readonly #levels: Level[];
  readonly #openFoldersMax: number;

  /** Takes over `base`: closing the stack closes it. */
  constructor(base: FolderHandle, openFoldersMax = OPEN_FOLDERS_DEFAULT) {
    if (openFoldersMax < 2) throw new RangeError('a folder stack needs at least two descriptors');
    this.#levels = [{ name: '' as ByteString, links: 'refuse', handle: base, identity: undefined }];
    this.#openFoldersMax = openFoldersMax;
  }

  /** How many folders lie above the current one, up to the base. */
  get depth(): number {
    return this.#levels.length - 1;
  }

  /** The current folder, valid until the next call on this stack. */
  get current(): FolderHandle {
    const level = this.#levels[this.depth]!;
    return level.handle ?? this.#reopen();
  }

  /** Goes into a folder inside the current one; stays where it is when that throws. */
  enter(name: ByteString, links: LinkPolicy = 'refuse'): void {
    const handle = this.current.openFolder(name, links);
    this.#levels.push({ name, links, handle, identity: undefined });
    this.#giveUp(this.depth - this.#openFoldersMax + 1);
  }

  /** Goes back to the folder above. Must not be called at the base. */
  leave(): void {
    if (this.depth === 0) throw new RangeError('the base of a folder stack is left by closing it');
    this.#levels.pop()!.handle?.close();
  }

  close(): void {
    for (const level of this.#levels) level.handle?.close();
    this.#levels.length = 1;
    this.#levels[0]!.handle = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #giveUp(index: number): void {
    const level = index > 0 ? this.#levels[index] : undefined;
    if (level?.handle === undefined) return;
    level.identity = statusOf(level.handle.fd);
    level.handle.close();
    level.handle = undefined;
  }

  #reopen(): FolderHandle {
    let index = this.#levels.findLastIndex((level) => level.handle !== undefined);
    if (index === -1) throw new RangeError('the folder stack is closed');
    let handle = this.#levels[index]!.handle!;
    for (index += 1; index <= this.depth; index++) {
      const level = this.#levels[index]!;
      handle = handle.openFolder(level.name, level.links);
      if (!isSameObject(level.identity!, statusOf(handle.fd))) {
        handle.close();
        throw systemError(ESTALE, 'open', handle.path);
      }
      level.handle = handle;
      this.#giveUp(index - this.#openFoldersMax + 1);
    }
    return handle;
  }
}
