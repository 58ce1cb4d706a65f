import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { displayName } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { EntryComparison } from './compare-entries.ts';
import type { TreeDifference, TreeView } from './compare-entries.ts';
import { nativeView } from './native-view.ts';
import { TreeFolder } from './tree-folder.ts';

export type { TreeDifference, TreeView } from './compare-entries.ts';

export interface CompareOptions {
  /** Sockets are skipped by backups: leave them out on both sides. */
  readonly ignoreSockets?: boolean;
  /** How to see what node:fs cannot; null compares only what node:fs sees. */
  readonly view?: TreeView | null;
}

/**
 * Every difference between two trees, in order of paths and as it is found: names, types, modes, owners,
 * times of change in ns, sizes, content, holes, hard links, link targets, device numbers, extended
 * attributes. Not compared: times of access, inode change and birth, sizes and link counts of folders.
 * Holds the names of one folder a level; a folder that is missing is one difference. Linux only.
 */
export function* compareTrees(
  expectedRoot: string,
  actualRoot: string,
  options: CompareOptions = {},
): Generator<TreeDifference> {
  const comparison = new EntryComparison(options.view === undefined ? nativeView() : options.view);
  let pair: FolderPair = [TreeFolder.open(expectedRoot), TreeFolder.open(actualRoot)];
  const path: ByteString[] = [];
  const pending: ByteString[][] = [];
  try {
    yield* comparison.entry('.' as ByteString, '.' as ByteString, pair);
    pending.push(yield* compareFolder(comparison, path, pair, options));
    while (pending.length > 0) {
      const name = pending.at(-1)?.pop();
      if (name !== undefined) {
        const below = openBelow(pair, name);
        if (typeof below === 'string') yield unreadable([...path, name], below);
        else if (below !== null) {
          pair = replacePair(pair, below);
          path.push(name);
          pending.push(yield* compareFolder(comparison, path, pair, options));
        }
      } else if (pending.pop() !== undefined && pending.length > 0) {
        path.pop();
        pair = replacePair(pair, [pair[0].above(), pair[1].above()]);
      }
    }
  } finally {
    for (const folder of pair) folder.close();
  }
}

type FolderPair = readonly [expected: TreeFolder, actual: TreeFolder];

/** Compares what stands directly in a folder; returns the folders to go into, the first one last. */
function* compareFolder(
  comparison: EntryComparison,
  path: readonly ByteString[],
  pair: FolderPair,
  options: CompareOptions,
): Generator<TreeDifference, ByteString[]> {
  const [expected, actual] = pair.map((folder) => new Set(namesIn(folder, options))) as [
    Set<ByteString>,
    Set<ByteString>,
  ];
  const below: ByteString[] = [];
  for (const name of Array.from(new Set([...expected, ...actual])).toSorted(inByteOrder)) {
    const shown = [...path, name].join('/') as ByteString;
    if (!actual.has(name)) yield { path: shown, what: 'missing', expected: 'present', actual: 'absent' };
    else if (!expected.has(name)) {
      yield { path: shown, what: 'unexpected', expected: 'absent', actual: 'present' };
    } else if (yield* comparison.entry(shown, name, pair)) below.push(name);
  }
  return below.reverse();
}

function namesIn(folder: TreeFolder, options: CompareOptions): ByteString[] {
  const names = folder.names();
  return options.ignoreSockets ? names.filter((name) => !folder.status(name).isSocket()) : names;
}

function inByteOrder(left: ByteString, right: ByteString): number {
  return left < right ? -1 : Number(left > right);
}

/** Both folders; the name of the side that cannot be read; null when neither can and there is nothing to see. */
function openBelow(pair: FolderPair, name: ByteString): FolderPair | 'expected' | 'actual' | null {
  const expected = openOrNull(pair[0], name);
  const actual = openOrNull(pair[1], name);
  if (expected !== null && actual !== null) return [expected, actual];
  expected?.close();
  actual?.close();
  if (expected === actual) return null;
  return expected === null ? 'expected' : 'actual';
}

function openOrNull(folder: TreeFolder, name: ByteString): TreeFolder | null {
  try {
    return folder.below(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return null;
    throw error;
  }
}

function unreadable(path: readonly ByteString[], side: 'expected' | 'actual'): TreeDifference {
  return {
    path: path.join('/') as ByteString,
    what: 'readable',
    expected: String(side !== 'expected'),
    actual: String(side !== 'actual'),
  };
}

function replacePair(old: FolderPair, pair: FolderPair): FolderPair {
  for (const folder of old) folder.close();
  return pair;
}

/**
 * The same comparison by a program that shares no code with this one or with the product
 * (`compare-trees.py`). Null where there is no `python3`.
 */
export function compareTreesInPython(
  expectedRoot: string,
  actualRoot: string,
  options: Pick<CompareOptions, 'ignoreSockets'> = {},
): TreeDifference[] | null {
  const script = fileURLToPath(new URL('compare-trees.py', import.meta.url));
  const flags = ['--json', ...(options.ignoreSockets ? ['--ignore-sockets'] : [])];
  const run = spawnSync('python3', [script, ...flags, expectedRoot, actualRoot], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (run.error !== undefined) return null;
  if (run.status !== 0 && run.status !== 1) throw new Error(`compare-trees.py failed: ${run.stderr}`);
  const lines = run.stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as TreeDifference);
}

/** One difference on one line, safe to print. */
export function describeDifference({ path, what, expected, actual }: TreeDifference): string {
  return `${displayName(path)}: ${what}: expected ${expected}, found ${actual}`;
}

function main(args: readonly string[]): number {
  const roots = args.filter((argument) => !argument.startsWith('--'));
  const [expected, actual] = roots;
  if (expected === undefined || actual === undefined || roots.length > 2) {
    console.error('Usage: node compare-trees.ts [--ignore-sockets] EXPECTED ACTUAL');
    return 2;
  }
  let count = 0;
  for (const difference of compareTrees(expected, actual, {
    ignoreSockets: args.includes('--ignore-sockets'),
  })) {
    console.log(describeDifference(difference));
    count++;
  }
  return count > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
