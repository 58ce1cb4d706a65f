// `pnpm bench`: Cofre against restic and borg, on the same data. See `pnpm bench --help`.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { removeTree } from '../test/builders/remove-tree.ts';
import { borg } from './bench/borg.ts';
import { cofre } from './bench/cofre.ts';
import type { Contender } from './bench/contender.ts';
import { DATA_SETS } from './bench/data-sets.ts';
import { measureFolder } from './bench/folder.ts';
import type { Measurement } from './bench/measurement.ts';
import { USAGE, parseBenchOptions, type BenchOptions } from './bench/options.ts';
import { runRace } from './bench/race.ts';
import { tableFor } from './bench/report.ts';
import { restic } from './bench/restic.ts';

const CONTENDERS: Contender[] = [cofre, restic, borg];

/** GNU time measures the clients; it is not the shell's own. */
const ALWAYS_NEEDED = { time: 'time', find: 'findutils' };

function requirePrograms(contenders: Contender[]): void {
  const needs: Record<string, string> = Object.assign(
    {},
    ALWAYS_NEEDED,
    ...contenders.map((one) => one.needs),
  );
  const missing = Object.entries(needs).filter(
    ([program]) =>
      spawnSync('sh', ['-c', 'command -v -- "$1"', 'sh', program], { stdio: 'ignore' }).status !== 0,
  );
  if (missing.length === 0) return;
  const packages = missing.map(([, packageName]) => packageName).join(' ');
  throw new Error(
    `lacking: ${missing.map(([program]) => program).join(', ')}. Debian: apt-get install ${packages}`,
  );
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function benchDataSet(name: string, options: BenchOptions, scratch: string): Promise<Measurement[]> {
  const dataSet = DATA_SETS[name];
  if (dataSet === undefined) throw new Error(`there is no data set ${name}`);
  const contenders = options.contenders.flatMap((wanted) => CONTENDERS.filter((one) => one.name === wanted));
  const place = join(scratch, name);
  mkdirSync(place);
  progress(`${name}: making the data`);
  dataSet.build(join(place, 'data'), options.scale);
  const { entries, bytes } = await measureFolder(join(place, 'data'));
  const measurements: Measurement[] = [];
  for (let run = 1; run <= options.runs; run++) {
    const race = { dataSetName: name, dataSet, contenders, lastPhase: options.lastPhase, scratch: place };
    for await (const measurement of runRace(race, run)) {
      const { phase, contender, client } = measurement;
      progress(`${name}: run ${run}, ${phase}, ${contender}: ${client.wallSeconds.toFixed(2)} s`);
      measurements.push(measurement);
    }
  }
  removeTree(place);
  const reported = measurements.filter(({ phase }) => options.phases.includes(phase));
  console.log(`\n### ${dataSet.title}: ${entries} entries, ${(bytes / 1024 ** 2).toFixed(0)} MiB\n`);
  console.log(tableFor(reported, options.contenders));
  return reported;
}

async function bench(options: BenchOptions): Promise<void> {
  const contenders = CONTENDERS.filter(({ name }) => options.contenders.includes(name));
  requirePrograms(contenders);
  if (options.contenders.includes('cofre')) {
    execFileSync(process.execPath, [join(import.meta.dirname, 'build.ts')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const scratch = mkdtempSync(join(resolve(options.scratch ?? tmpdir()), 'cofre-bench-'));
  process.once('exit', () => removeTree(scratch));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const machine = {
    cores: cpus().length,
    processor: cpus()[0]?.model ?? '',
    memoryBytes: totalmem(),
    kernel: release(),
    versions: contenders.map((contender) => contender.version()),
    runs: options.runs,
    scale: options.scale,
  };
  console.log(
    `${machine.versions.join(', ')}; Node ${process.versions.node}; ${machine.cores} cores (${machine.processor}); medians of ${options.runs}`,
  );
  const measurements: Measurement[] = [];
  for (const name of options.dataSets) measurements.push(...(await benchDataSet(name, options, scratch)));
  if (options.jsonFile !== undefined) {
    writeFileSync(options.jsonFile, `${JSON.stringify({ machine, measurements }, null, 2)}\n`);
  }
}

try {
  const options = parseBenchOptions(process.argv.slice(2));
  if (options === 'help') console.log(USAGE);
  else await bench(options);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
