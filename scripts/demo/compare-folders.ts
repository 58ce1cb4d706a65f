import { dirname, join } from 'node:path';
import { ProgramFailed, type ChildPrograms } from '../programs/child-programs.ts';

const PROGRAM = join(dirname(dirname(import.meta.dirname)), 'test/builders/compare-trees.ts');
const SHOWN_MAX = 20;
const DIFFERENT_STATUS = 1;

export interface FolderDifferences {
  readonly count: number;
  /** The first of them, a line each. */
  readonly shown: readonly string[];
}

/**
 * Compares names, content, holes and all metadata of two folders. In a process of its own: it reads both from end
 * to end, and Ctrl-C must reach it.
 */
export async function compareFolders(
  programs: ChildPrograms,
  expected: string,
  actual: string,
): Promise<FolderDifferences> {
  let count = 0;
  const shown: string[] = [];
  const onLine = (line: string): void => {
    count += 1;
    if (shown.length < SHOWN_MAX) shown.push(line);
  };
  const words = [PROGRAM, '--ignore-sockets', expected, actual];
  try {
    await programs.run(process.execPath, words, { onLine });
  } catch (error) {
    const isAnswer =
      error instanceof ProgramFailed && error.ended.status === DIFFERENT_STATUS && error.ended.stderr === '';
    // An exception ends it with 1, too, but says so on standard error.
    if (!isAnswer || count === 0) throw error;
  }
  return { count, shown };
}
