// `pnpm bench:vault`: what a vault's own work costs when it is large. See `--help`.

import { parseArgs } from 'node:util';
import { cpus } from 'node:os';
import { addSampleTenant, openSampleVaults, SampleRun } from '../test/builders/sample-vault.ts';
import { median } from './bench/report.ts';
import { SyntheticSet } from './bench/vault/synthetic-set.ts';

const USAGE = `pnpm bench:vault [--chunks N] [--snapshots N] [--scratch DIR]
  Builds a vault with so many chunks (1000000) and snapshots (1000), half of the chunks in the newest one, and measures
  have, commit, retention and collection.`;

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    chunks: { type: 'string', default: '1000000' },
    snapshots: { type: 'string', default: '1000' },
    scratch: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const LEAF_CHUNKS = 101;
const leaves = Math.round(Number(values.chunks) / 2 / LEAF_CHUNKS);
const snapshots = Number(values.snapshots);
const leavesPerSnapshot = Math.max(1, Math.round(leaves / snapshots));

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

const opened = await openSampleVaults({}, values.scratch);
const results: [string, string][] = [];

function report(title: string, milliseconds: readonly number[]): void {
  const sorted = milliseconds.map((value) => value.toFixed(1)).join(', ');
  results.push([title, `${median([...milliseconds]).toFixed(1)} ms (${sorted})`]);
  progress(`${title}: ${results.at(-1)?.[1]}`);
}

async function timed<Result>(work: () => Promise<Result>): Promise<[number, Result]> {
  const startedMs = performance.now();
  const result = await work();
  return [performance.now() - startedMs, result];
}

try {
  const { vault, device } = await addSampleTenant(opened, 1024 ** 4);
  const set = new SyntheticSet();
  progress(`${leaves} leaves, then ${snapshots - 1} snapshots that change ${leavesPerSnapshot} of them`);
  const run = await SampleRun.open(vault, device);
  const startedMs = performance.now();
  report(`first commit, ${leaves * LEAF_CHUNKS} chunks`, [await set.create(run, leaves)]);
  for (let count = 1; count < snapshots; count++) {
    await set.change(run, leavesPerSnapshot);
    if (count % 100 === 0)
      progress(`${count} snapshots, ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  }
  const counts = await vault.statistics();
  progress(`${counts.chunks} chunks, ${counts.snapshots} snapshots`);

  const ids = set.someIds(10_000);
  const haveMs: number[] = [];
  for (let count = 0; count < 5; count++) haveMs.push((await timed(() => run.have(ids)))[0]);
  report('have of 10,000 ids', haveMs);

  const commitMs: number[] = [];
  for (let count = 0; count < 3; count++) commitMs.push(await set.change(run, Math.round(leaves / 100)));
  report(`stage and commit of a 1 % change, ${Math.round(leaves / 100) * LEAF_CHUNKS} chunks`, commitMs);

  await vault.closeSession(device.caller, run.sessionId);
  const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  results.push(['peak memory of the whole process, builder included', `${peakMiB} MiB`]);
  console.log(
    `Node ${process.versions.node}; ${cpus().length} cores (${cpus()[0]?.model}); medians (single figures)`,
  );
  console.log(`${counts.chunks} chunks, ${counts.snapshots} snapshots in the vault\n`);
  for (const [title, figure] of results) console.log(`| ${title} | ${figure} |`);
} finally {
  await opened.remove();
}
