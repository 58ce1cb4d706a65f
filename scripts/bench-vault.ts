// `pnpm bench:vault`: what a vault's own work costs when it is large. See `--help`.

import { parseArgs } from 'node:util';
import { cpus } from 'node:os';
import { parseRetentionRule } from '@cofre/server/policy/retention-rule';
import { LIMITS } from '@cofre/shared/limits';
import { signingKeyFromSeed } from '@cofre/shared/signature';
import { addSampleTenant, openSampleVaults, SampleRun } from '../test/builders/sample-vault.ts';
import { sampleRoster } from '../test/builders/vault-samples.ts';
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
  // Only what a device of the roster signed counts for a rule.
  const authority = signingKeyFromSeed(Buffer.alloc(32, 1));
  await vault.putTrust(
    authority.publicKey.toString('hex'),
    sampleRoster(authority, vault.tenantId, [device]),
  );
  const set = new SyntheticSet();
  progress(`${leaves} leaves, then ${snapshots - 1} snapshots that change ${leavesPerSnapshot} of them`);
  let run = await SampleRun.open(vault, device);
  const startedMs = performance.now();
  report(`first commit, ${leaves * LEAF_CHUNKS} chunks`, [await set.create(run, leaves)]);
  for (let count = 1; count < snapshots; count++) {
    // One an hour: a rule that counts takes no more.
    await vault.closeSession(device.caller, run.sessionId);
    opened.passHours(1);
    run = await SampleRun.open(vault, device);
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
  const { signal } = new AbortController();
  const collect = () => vault.runCollection({ signal, bytesPerSecond: null, readersGraceMs: 0 });
  const HOURS_OF_GRACE = LIMITS.condemnedGraceMs / 3_600_000 + 1;
  opened.passHours(24 * 30);
  await vault.retention.choose(null, {
    mode: 'rule',
    rule: parseRetentionRule({ keepLast: Math.round(snapshots * 0.9) }),
    timeZone: 'UTC',
  });
  report('decide and mark a tenth of the snapshots', [(await timed(() => vault.retention.apply()))[0]]);
  opened.passHours(24 * 30);
  const [dropMs, dropped] = await timed(() => vault.retention.dropExpired());
  report(`let ${dropped.dropped} snapshots go`, [dropMs]);
  const [condemnMs, condemned] = await timed(collect);
  report(`collection: condemn ${condemned.condemned} chunks`, [condemnMs]);
  opened.passHours(HOURS_OF_GRACE);
  const [collectMs, collected] = await timed(collect);
  report(`collection: drop ${collected.dropped} chunks, write ${collected.repackedPacks} packs anew`, [
    collectMs,
  ]);
  const idleMs: number[] = [];
  for (let count = 0; count < 3; count++) idleMs.push((await timed(collect))[0]);
  report('collection with nothing to do', idleMs);
  report('retention with nothing to do', [(await timed(() => vault.retention.runRetention()))[0]]);
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
