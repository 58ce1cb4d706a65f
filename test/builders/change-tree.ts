import {
  appendFileSync,
  chmodSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import type { ByteString } from '@cofre/shared/bytes';
import { setTimesAt } from '@cofre/agent/platform/posix';
import { SeededRandom } from './seeded-random.ts';
import { TreeFolder } from './tree-folder.ts';

export type ChangeKind =
  'rewritten' | 'appended' | 'cut' | 'added' | 'deleted' | 'renamed' | 'touched' | 'mode';

export interface TreeChange {
  readonly kind: ChangeKind;
  readonly path: ByteString;
}

export interface ChangeOptions {
  readonly seed: number;
  /** Share of the regular files that change; 0.05 unless said. */
  readonly share?: number;
  /** Which kinds to choose from; all unless said. */
  readonly kinds?: readonly ChangeKind[];
}

const ALL_KINDS: readonly ChangeKind[] = [
  'rewritten',
  'appended',
  'cut',
  'added',
  'deleted',
  'renamed',
  'touched',
  'mode',
];

/**
 * Changes some regular files of a tree, at least one, and adds, deletes and renames some; returns what it
 * did. The same seed does the same to the same tree. Files that have hard links are left alone.
 */
export function changeTree(
  root: string,
  { seed, share = 0.05, kinds = ALL_KINDS }: ChangeOptions,
): TreeChange[] {
  const random = new SeededRandom(`change ${seed}`);
  const candidates = [...regularFiles(root, [])];
  const count = Math.max(1, Math.round(candidates.length * share));
  const changes: TreeChange[] = [];
  for (let done = 0; done < count && candidates.length > 0; done++) {
    const at = random.below(candidates.length);
    const [path] = candidates.splice(at, 1, candidates.at(-1) ?? []);
    candidates.pop();
    if (path !== undefined) changes.push(changeFile(root, path, random.pick(kinds), random));
  }
  return changes;
}

function changeFile(root: string, path: ByteString[], kind: ChangeKind, random: SeededRandom): TreeChange {
  const folder = openFolder(root, path.slice(0, -1));
  try {
    change(folder, path.at(-1) ?? ('' as ByteString), kind, random);
  } finally {
    folder.close();
  }
  return { kind, path: path.join('/') as ByteString };
}

function change(folder: TreeFolder, name: ByteString, kind: ChangeKind, random: SeededRandom): void {
  const file = folder.at(name);
  const { size, mode } = statSync(file);
  const other = `changed-${random.bits().toString(36)}` as ByteString;
  switch (kind) {
    case 'rewritten':
      return writeFileSync(file, random.bytes(size + random.below(100)));
    case 'appended':
      return appendFileSync(file, random.text(random.between(1, 5_000)));
    case 'cut':
      return truncateSync(file, Math.floor(size / 2));
    case 'added':
      return writeFileSync(folder.at(other), random.text(random.between(0, 20_000)));
    case 'deleted':
      return rmSync(file);
    case 'renamed':
      return renameSync(file, folder.at(other));
    case 'touched':
      return setTimesAt(folder.descriptor, name, { mtimeNs: BigInt(random.bits()) * 1_000_000_007n });
    case 'mode':
      return chmodSync(file, (mode & 0o7777) ^ 0o111);
  }
}

function* regularFiles(root: string, path: ByteString[]): Generator<ByteString[]> {
  const folder = openFolder(root, path);
  try {
    for (const name of folder.names().toSorted((left, right) => (left < right ? -1 : 1))) {
      const status = folder.status(name);
      if (status.isDirectory()) yield* regularFiles(root, [...path, name]);
      else if (status.isFile() && status.nlink === 1n) yield [...path, name];
    }
  } finally {
    folder.close();
  }
}

function openFolder(root: string, path: readonly ByteString[]): TreeFolder {
  let folder = TreeFolder.open(root);
  for (const name of path) {
    const below = folder.below(name);
    folder.close();
    folder = below;
  }
  return folder;
}
