import { chmod, rename } from 'node:fs/promises';
import { removeTree } from '../../test/builders/remove-tree.ts';
import { ProgramFailed, type ChildPrograms } from '../programs/child-programs.ts';
import { compareFolders } from './compare-folders.ts';
import { DemoFailure } from './demo-failure.ts';

/**
 * Copies `source` to `copy`, with all metadata that this user may set. Only root can give files to others or make
 * devices, and nobody can read what belongs to others: such things are lacking in the copy.
 * @returns how many things could not be copied
 */
export async function copyFolder(programs: ChildPrograms, source: string, copy: string): Promise<number> {
  const problems = await copyTree(programs, source, copy);
  await makeChangeable(programs, copy);
  return problems;
}

/**
 * Copies a folder of our own so that nothing differs. A `cp` that keeps less than there is (BusyBox cuts times to
 * microseconds) gives a copy that it can copy exactly: `original` is then replaced by that.
 * @throws DemoFailure when they differ even so
 */
export async function makeTwin(programs: ChildPrograms, original: string, twin: string): Promise<void> {
  await copyTree(programs, original, twin);
  if ((await compareFolders(programs, original, twin)).count === 0) return;
  removeTree(original);
  await rename(twin, original);
  await copyTree(programs, original, twin);
  const { count, shown } = await compareFolders(programs, original, twin);
  if (count === 0) return;
  throw new DemoFailure(`cp -a cannot copy this folder twice in the same way:\n${shown.join('\n')}`);
}

async function copyTree(programs: ChildPrograms, from: string, to: string): Promise<number> {
  try {
    await programs.run('cp', ['-a', '--', from, to]);
    return 0;
  } catch (error) {
    // It goes on after what it cannot copy, and says so in a line each.
    if (!(error instanceof ProgramFailed) || error.ended.status !== 1) throw error;
    return error.ended.stderr.split('\n').filter((line) => line.startsWith('cp:')).length;
  }
}

/** What belonged to others belongs to this user now, who must be able to read it, and to add to it. */
async function makeChangeable(programs: ChildPrograms, folder: string): Promise<void> {
  if (process.getuid?.() !== 0) await programs.run('chmod', ['-R', 'u+rX', '--', folder]);
  await chmod(folder, 0o755);
}
