import { copyFile, link, open, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import type { ApplianceCopy } from '@cofre/shared/wire/appliance-copies';
import { makeFolderDurably, removeFile, syncFile, syncFolder } from '../platform/durable-files.ts';
import { isThere } from '../platform/is-there.ts';
import { Semaphore } from '../platform/semaphore.ts';
import { isNotThere } from '../platform/storage-failure.ts';
import type { CopyContent } from './copy-operations.ts';
import { copiesToRemove, dayOf, type TakenCopy } from './copy-rotation.ts';

/** What copies are made with: the thread of the database does the work. */
export interface CopyStore {
  copyInto(file: string): Promise<void>;
  /** @throws CofreError `damaged` */
  inspect(file: string): Promise<CopyContent>;
}

export interface CopyFolders {
  /** In the store, so that the store alone is enough. */
  readonly first: string;
  /** A place that does not go down with the store; null when there is none. */
  readonly second: string | null;
}

/** Where the copies lie in a store. No tenant's id looks like it. */
export function copiesFolder(storeFolder: string): string {
  return join(storeFolder, 'appliance');
}

/** Names of the copies in a store, the newest first. None of them is read. */
export async function listCopyNames(storeFolder: string): Promise<string[]> {
  const copies = await takenIn(copiesFolder(storeFolder));
  return copies.toSorted((one, other) => other.takenMs - one.takenMs).map(({ name }) => name);
}

const NAME = /^appliance-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.sqlite$/;

/** Makes, checks and rotates copies of the appliance's database while it is in use. */
export class ApplianceCopies {
  readonly #store: CopyStore;
  readonly #folders: CopyFolders;
  readonly #nowMs: () => number;
  readonly #turn = new Semaphore(1);

  constructor(store: CopyStore, folders: CopyFolders, nowMs: () => number) {
    this.#store = store;
    this.#folders = folders;
    this.#nowMs = nowMs;
  }

  /**
   * Makes a copy, and removes those that need not be kept any more. It counts when it was read again and is durable.
   * @throws CofreError `storage_full`, `damaged` when the copy is not whole; then the older ones stay
   */
  copyNow(): Promise<ApplianceCopy> {
    return this.#turn.run(() => this.#copy());
  }

  /** The same, when there is no copy of this day yet; else null. */
  copyIfDue(): Promise<ApplianceCopy | null> {
    return this.#turn.run(async () => {
      const today = dayOf(this.#nowMs());
      const copies = await takenIn(this.#folders.first);
      return copies.some(({ takenMs }) => dayOf(takenMs) === today) ? null : this.#copy();
    });
  }

  /** All copies in the store, the newest first. Each is read and checked. */
  async list(): Promise<ApplianceCopy[]> {
    const items: ApplianceCopy[] = [];
    for (const copy of await takenIn(this.#folders.first)) items.push(await this.#describe(copy));
    return items.toSorted((one, other) => other.taken.localeCompare(one.taken));
  }

  async #copy(): Promise<ApplianceCopy> {
    const { first, second } = this.#folders;
    await makeFolderDurably(first);
    const takenMs = Math.floor(this.#nowMs() / 1000) * 1000;
    const name = nameOf(takenMs);
    const file = join(first, name);
    if (!(await isThere(file))) await this.#publish(file);
    await rotate(first);
    if (second !== null) await copyToSecond(file, second, name, this.#store);
    return await this.#describe({ name, takenMs });
  }

  /** Under its name there is only what was checked and is durable. */
  async #publish(file: string): Promise<void> {
    const temporary = `${file}.new`;
    await removeFile(temporary);
    try {
      await this.#store.copyInto(temporary);
      await this.#store.inspect(temporary);
      await syncPath(temporary);
      await link(temporary, file);
      // Without this a power loss could take the copy away after older ones were removed.
      await syncFolder(this.#folders.first);
    } finally {
      await removeFile(temporary);
    }
  }

  async #describe({ name, takenMs }: TakenCopy): Promise<ApplianceCopy> {
    const { first, second } = this.#folders;
    const file = join(first, name);
    const { size } = await stat(file);
    const isInSecond = second !== null && (await isThere(join(second, name)));
    return {
      name,
      taken: new Date(takenMs).toISOString(),
      bytes: size,
      content: await this.#store.inspect(file).catch(nullIfDamaged),
      secondFolder: isInSecond ? second : null,
    };
  }
}

/** The second place may be on a file system without hard links, so a new name is given by renaming. */
async function copyToSecond(file: string, folder: string, name: string, store: CopyStore): Promise<void> {
  try {
    await makeFolderDurably(folder);
    const temporary = join(folder, `${name}.new`);
    await copyFile(file, temporary);
    await store.inspect(temporary);
    await syncPath(temporary);
    await rename(temporary, join(folder, name));
    await syncFolder(folder);
    await rotate(folder);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const problem = `the copy is in the store, and not in ${folder}: ${reason}`;
    throw new CofreError('settings_invalid', { setting: '--copy-to', problem }, { cause });
  }
}

async function rotate(folder: string): Promise<void> {
  for (const { name } of copiesToRemove(await takenIn(folder))) await removeFile(join(folder, name));
}

/** Copies of a folder; whatever else lies there is left alone. */
async function takenIn(folder: string): Promise<TakenCopy[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (isNotThere(error)) return [];
    throw error;
  }
  return names.flatMap((name) => {
    const parts = NAME.exec(name)?.slice(1).map(Number);
    if (parts === undefined) return [];
    const [year = 0, month = 0, day = 0, hour, minute, second] = parts;
    return [{ name, takenMs: Date.UTC(year, month - 1, day, hour, minute, second) }];
  });
}

function nameOf(takenMs: number): string {
  const instant = new Date(takenMs).toISOString().replace(/[-:]|\.000/g, '');
  return `appliance-${instant}.sqlite`;
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.chmod(0o600);
    // A copy that is only in memory is none.
    await syncFile(file, path);
  } finally {
    await file.close();
  }
}

function nullIfDamaged(error: unknown): null {
  if (error instanceof CofreError && error.code === 'damaged') return null;
  throw error;
}
