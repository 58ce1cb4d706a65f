import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { appendFile, open, rm, writeFile } from 'node:fs/promises';
import { measureTree, type FoundFile } from './measure-tree.ts';

export interface Changes {
  readonly changed: number;
  readonly added: number;
  readonly deleted: number;
  /** Of the changed and the added files, as long as they are now: no more than this has to travel. */
  readonly bytes: number;
}

/** Of all files, for each of the three kinds. */
const SHARE = 0.003;
const COUNT_MAX = 200;
const CANDIDATES_MAX = 50_000;
/** Longer ones are left alone, so that what travels is easy to understand. */
const SIZE_BYTES_MAX = 512 * 1024;
const ADDED_BYTES = 3_000;

/** Changes, adds and deletes some files of a folder, at least one of each, spread over all of it. */
export async function changeFiles(root: string): Promise<Changes> {
  const candidates: FoundFile[] = [];
  await measureTree(root, undefined, (file) => {
    if (candidates.length < CANDIDATES_MAX && isChangeable(file)) candidates.push(file);
  });
  const count = Math.min(COUNT_MAX, Math.max(1, Math.round(candidates.length * SHARE)));
  const picked = evenly(candidates, 2 * count);
  const toChange = picked.filter((_, index) => index % 2 === 0);
  const toDelete = picked.filter((_, index) => index % 2 === 1);
  let bytes = 0;
  for (const file of toChange) {
    await changeFile(file);
    bytes += file.size + CHANGE.length;
    await writeFile(besides(file), randomBytes(ADDED_BYTES / 2).toString('hex'));
    bytes += ADDED_BYTES;
  }
  for (const { path } of toDelete) await rm(path);
  return { changed: toChange.length, added: toChange.length, deleted: toDelete.length, bytes };
}

const CHANGE = Buffer.from('changed by the Cofre demo\n');

/** Something in its middle and something at its end. */
async function changeFile({ path, size }: FoundFile): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(CHANGE.subarray(0, Math.min(CHANGE.length, size)), null, null, Math.floor(size / 2));
  await file.close();
  await appendFile(path, CHANGE);
}

function besides({ folder }: FoundFile): Buffer {
  return Buffer.concat([folder, Buffer.from(`/added-by-the-demo-${randomBytes(6).toString('hex')}.txt`)]);
}

function isChangeable({ path, folder, size, links }: FoundFile): boolean {
  if (links > 1 || size > SIZE_BYTES_MAX) return false;
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function evenly<Item>(items: readonly Item[], count: number): Item[] {
  const picked = new Set<Item>();
  for (let index = 0; index < count; index++) {
    const item = items[Math.floor((index * items.length) / count)];
    if (item !== undefined) picked.add(item);
  }
  return [...picked];
}
