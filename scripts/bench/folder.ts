import { mkdirSync, existsSync } from 'node:fs';
import { removeTree } from '../../test/builders/remove-tree.ts';
import { run } from './run-command.ts';

export type FolderSize = { entries: number; bytes: number };

/** How many entries a folder has, itself not counted, and how long its regular files are in all. */
export async function measureFolder(folder: string): Promise<FolderSize> {
  const listing = await run({ file: 'find', arguments: [folder, '-mindepth', '1', '-printf', '%y %s\\n'] });
  const lines = listing.split('\n').filter((line) => line !== '');
  const bytes = lines.reduce((sum, line) => sum + (line.startsWith('f ') ? Number(line.slice(2)) : 0), 0);
  return { entries: lines.length, bytes };
}

/** The same start for every command: all data in the page cache, nothing left to be written. */
export async function settle(folder: string): Promise<void> {
  await run({
    file: 'sh',
    arguments: ['-c', 'find "$1" -type f -exec cat -- {} + >/dev/null', 'sh', folder],
  });
  await run({ file: 'sync', arguments: [] });
}

export function makeEmptyFolder(folder: string): string {
  if (existsSync(folder)) removeTree(folder);
  mkdirSync(folder, { recursive: true });
  return folder;
}
