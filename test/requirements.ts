import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';

/** Where `scripts/test.ts` wants to be told what tests lack; one line each. */
const LACKS_FILE_VARIABLE = 'COFRE_TEST_LACKS';

/**
 * Says whether a test must be skipped because this machine lacks something that it needs: `root`, or the name of a
 * program in PATH. For `test.skipIf(lacks('root', 'strace'))`.
 *
 * What is lacking is always told: the summary of `npm test` prints it. With `CI=true` nothing may be lacking, and
 * this throws, which fails the test file.
 */
export function lacks(...requirements: string[]): boolean {
  const missing = requirements.filter((requirement) => !isPresent(requirement));
  if (missing.length === 0) return false;
  const line = `needs ${missing.join(', ')}`;
  if (process.env['CI'] === 'true') throw new Error(`In CI nothing may be lacking, and this test ${line}`);
  report(line);
  return true;
}

function isPresent(requirement: string): boolean {
  if (requirement === 'root') return process.getuid?.() === 0;
  return spawnSync('sh', ['-c', 'command -v -- "$1"', 'sh', requirement], { stdio: 'ignore' }).status === 0;
}

function report(line: string): void {
  const file = process.env[LACKS_FILE_VARIABLE];
  if (file === undefined) console.warn(`skipped: ${line}`);
  else appendFileSync(file, `${line}\n`);
}
