import { createInterface } from 'node:readline/promises';
import { CofreError } from '@cofre/shared/errors';
import type { Output } from './output.ts';

/**
 * Asks on a terminal whether to go on; a script says so with `--yes`.
 * @throws CofreError `usage` for another answer than yes, and without a terminal
 */
export async function requireConfirmation(
  { stderr }: Output,
  question: string,
  isConfirmed: boolean,
): Promise<void> {
  if (isConfirmed) return;
  if (!process.stdin.isTTY)
    throw new CofreError('usage', { problem: 'A script has to confirm this with --yes.' });
  const terminal = createInterface({ input: process.stdin, output: stderr });
  try {
    const said = await terminal.question(`${question} Type "yes" to go on: `);
    if (said.trim().toLowerCase() !== 'yes')
      throw new CofreError('usage', { problem: 'Nothing was changed.' });
  } finally {
    terminal.close();
  }
}
