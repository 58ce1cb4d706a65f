// `pnpm check`: lint, types, format, house rules, with the pinned tools. All run, even when one fails; the exit code
// is 0 only when every one is clean.

import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const binaries = join(root, 'node_modules', '.bin');

const CHECKS: readonly { title: string; tool: string; toolArguments: string[] }[] = [
  { title: 'lint', tool: 'oxlint', toolArguments: [] },
  { title: 'types', tool: 'tsc', toolArguments: ['-p', 'tsconfig.json'] },
  { title: 'format', tool: 'prettier', toolArguments: ['--check', '--log-level=warn', '.'] },
  { title: 'house rules', tool: 'vitest', toolArguments: ['run', '--project', 'house', '--reporter=dot'] },
];

const env = { ...process.env, PATH: [binaries, process.env['PATH'] ?? ''].join(delimiter) };

const failed = CHECKS.filter(({ title, tool, toolArguments }) => {
  console.log(`── ${title}`);
  const run = spawnSync(join(binaries, tool), toolArguments, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env,
  });
  if (run.error) console.error(`${tool} could not be started: ${run.error.message}`);
  return run.status !== 0;
});

console.log(
  failed.length === 0 ? 'check: clean' : `check: failed: ${failed.map(({ title }) => title).join(', ')}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
