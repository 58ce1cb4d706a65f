import { realpath, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, resolve, sep } from 'node:path';
import { formatBytes } from '@cofre/agent/cli/quantities';
import { DemoFailure } from './demo-failure.ts';
import { measureTree, type TreeSize } from './measure-tree.ts';

export interface Source {
  readonly path: string;
  readonly size: TreeSize;
}

/** What the demo is worth watching with, and how much is done within a minute on a small machine. */
const FILES_WANTED = 2_000;
const BOUNDS = { filesMax: 12_000, bytesMax: 200 * 1024 * 1024 };

/** The copy, what is kept aside of both states, and what is restored; the store takes no more than one of them. */
const COPIES = 5;
const SPARE_BYTES = 256 * 1024 * 1024;

/**
 * The folder that somebody named, as they see it, or one that this machine has.
 * @throws DemoFailure when it is none that can be copied
 */
export async function findSource(named: string | undefined): Promise<Source> {
  const source = named === undefined ? await firstSuitable(candidates()) : await namedSource(named);
  await refuseWithoutRoom(source);
  return source;
}

/** npm runs a script in the project's folder, and says where it was called. */
async function namedSource(named: string): Promise<Source> {
  const path = resolve(process.env['INIT_CWD'] ?? process.cwd(), named);
  const real = await realpath(path).catch((error: unknown) => {
    throw new DemoFailure(
      `${path} cannot be used (${(error as NodeJS.ErrnoException).code ?? String(error)}).`,
    );
  });
  if (!(await stat(real)).isDirectory()) throw new DemoFailure(`${path} is not a folder.`);
  const temporary = await realpath(tmpdir());
  if (`${temporary}${sep}`.startsWith(real === sep ? sep : `${real}${sep}`)) {
    throw new DemoFailure(
      `${path} holds ${temporary}, where the demo puts its copies. Choose another folder, or set TMPDIR.`,
    );
  }
  return { path: real, size: await measureTree(real) };
}

/** Ordinary files of many kinds, from what a machine is likely to have; npm's own folder is always there. */
function candidates(): string[] {
  const npm = process.env['npm_execpath'];
  return [
    '/usr/lib/python3',
    '/usr/share/doc',
    '/usr/include',
    '/usr/share/man',
    '/usr/share/perl',
    '/usr/lib/node_modules',
    '/usr/local/lib/node_modules',
    ...(npm === undefined ? [] : [dirname(dirname(npm))]),
    '/usr/share/zoneinfo',
    '/etc',
  ];
}

/** The first one with enough files; where there is none, the one with the most. */
async function firstSuitable(paths: readonly string[]): Promise<Source> {
  let best: Source | null = null;
  for (const candidate of paths) {
    const path = await realpath(candidate).catch(() => null);
    if (path === null) continue;
    const size = await measureTree(path, BOUNDS);
    if (!size.isWhole || size.unreadable > 0) continue;
    if (size.files >= FILES_WANTED) return { path, size };
    if (size.files > (best?.size.files ?? 0)) best = { path, size };
  }
  if (best === null) throw new DemoFailure('No folder fits here. Name one: npm run demo -- FOLDER');
  return best;
}

async function refuseWithoutRoom({ path, size }: Source): Promise<void> {
  const temporary = tmpdir();
  const { bavail, bsize } = await statfs(temporary);
  const needed = COPIES * size.diskBytes + SPARE_BYTES;
  if (bavail * bsize >= needed) return;
  throw new DemoFailure(
    `${path} needs ${formatBytes(needed)} for its copies, and ${temporary} has ${formatBytes(bavail * bsize)} left. ` +
      'Name a smaller folder (npm run demo -- FOLDER), or set TMPDIR to a place with more room.',
  );
}
