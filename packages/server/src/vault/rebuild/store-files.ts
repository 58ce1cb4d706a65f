import { join } from 'node:path';
import { namesIn } from '../../platform/names-in.ts';
import {
  numberOfFile,
  OBJECT_KINDS,
  objectPath,
  packPath,
  type StoredKind,
  type VaultLayout,
} from '../layout.ts';

/** The files of a vault in the store, by their numbers. */
export interface StoreFiles {
  /** Ascending. */
  readonly objects: readonly { readonly number: number; readonly kind: StoredKind }[];
  /** Ascending. */
  readonly packs: readonly number[];
  /** Paths of files that are none of these. */
  readonly unknown: readonly string[];
  /** The highest number that any file of packs, or of objects, has: what was still being written included. */
  readonly lastPack: number;
  readonly lastObject: number;
}

/** Lists a vault's files. It reads names only. */
export async function listStoreFiles(layout: VaultLayout): Promise<StoreFiles> {
  const unknown: string[] = [];
  const objects: { number: number; kind: StoredKind }[] = [];
  for (const name of await namesIn(layout.objects)) {
    const number = numberOfFile(name);
    const kind = OBJECT_KINDS.find((known) => objectPath(number, known) === `objects/${name}`);
    if (kind === undefined) unknown.push(`objects/${name}`);
    else objects.push({ number, kind });
  }
  const packs: number[] = [];
  for (const folder of await namesIn(layout.packs)) {
    for (const name of await namesIn(join(layout.packs, folder))) {
      const path = `packs/${folder}/${name}`;
      if (packPath(numberOfFile(name)) === path) packs.push(numberOfFile(name));
      else unknown.push(path);
    }
  }
  const incoming = await namesIn(layout.incoming);
  const incomingOf = (ending: string) =>
    incoming.filter((name) => name.endsWith(ending)).map((name) => numberOfFile(name));
  objects.sort((one, other) => one.number - other.number);
  packs.sort((one, other) => one - other);
  return {
    objects,
    packs,
    unknown,
    lastPack: highestOf([...incomingOf('.pack'), packs.at(-1) ?? 0]),
    lastObject: highestOf([...incomingOf('.object'), objects.at(-1)?.number ?? 0]),
  };
}

function highestOf(numbers: readonly number[]): number {
  return numbers.reduce((highest, number) => Math.max(highest, number), 0);
}
