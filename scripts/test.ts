// `npm test`: every tier in order, and a closing line that sums them. Arguments go to vitest (`npm test -- -t name`).

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { TIERS, type Tier } from './test/tiers.ts';
import { NO_COUNTS, addCounts, closingLine, countRun, type Counts } from './test/vitest-report.ts';

const root = dirname(import.meta.dirname);
const vitestFolder = dirname(createRequire(import.meta.url).resolve('vitest/package.json'));
const scratch = mkdtempSync(join(tmpdir(), 'cofre-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

function runVitest(vitestArguments: string[], lacksFile: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(vitestFolder, 'vitest.mjs'), 'run', ...vitestArguments], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, COFRE_TEST_LACKS: lacksFile },
    });
    child.on('error', reject);
    child.on('exit', (exitCode) => resolve(exitCode ?? 1));
  });
}

/** Prints what tests were skipped for: nothing is left out in silence. */
function printLacks(lacksFile: string): void {
  if (!existsSync(lacksFile)) return;
  for (const line of new Set(readFileSync(lacksFile, 'utf8').trim().split('\n'))) {
    console.log(`   some tests were skipped: they ${line.replace('needs', 'need')}`);
  }
}

async function runTier(tier: Tier, position: number): Promise<Counts> {
  console.log(`\n── ${position} of ${TIERS.length}: ${tier.title}`);
  const reportFile = join(scratch, `${position}.json`);
  const lacksFile = join(scratch, `${position}.lacks`);
  const exitCode = await runVitest(
    [
      ...tier.projects.flatMap((project) => ['--project', project]),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportFile}`,
      ...process.argv.slice(2),
    ],
    lacksFile,
  );
  printLacks(lacksFile);
  return countRun(reportFile, exitCode);
}

let total = NO_COUNTS;
for (const [index, tier] of TIERS.entries()) {
  total = addCounts(total, await runTier(tier, index + 1));
}
console.log(`\n${closingLine(total)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
