// `pnpm bench:load`: how long the server's event loop is held up while many computers send. See `--help`.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { newRandomId } from '@cofre/shared/ids';
import { serveTenant, type ServedTenant } from '../test/builders/served-tenant.ts';
import { startServerProcess } from '../test/builders/server-process.ts';
import { sampleBlob, samplePack } from '../test/builders/vault-samples.ts';

const USAGE = `pnpm bench:load [--agents N] [--packs N] [--scratch DIR]
  N agents (20) send N packs (20) of 8 MiB each at once to a server of its own; reports the delay of its event loop.`;

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    agents: { type: 'string', default: '20' },
    packs: { type: 'string', default: '20' },
    scratch: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const MIB = 1024 * 1024;
const folder = mkdtempSync(join(values.scratch, 'cofre-load-'));
const resultFile = join(folder, 'loop-delay.json');
const probe = join(import.meta.dirname, 'bench/vault/loop-delay-probe.mjs');
let serverProcess = 0;

async function signalServer(): Promise<void> {
  process.kill(serverProcess, 'SIGUSR2');
  await new Promise((resolve) => setTimeout(resolve, 200));
}

/** Two packs at a time, as an agent does. */
async function sendPacks(tenant: ServedTenant, pack: Buffer, count: number): Promise<void> {
  const session = `/v1/sessions/${await tenant.openSession()}`;
  let left = count;
  const sendOn = async (): Promise<void> => {
    while (left-- > 0) {
      await tenant.askAndExpect({ method: 'PUT', path: `${session}/packs/${newRandomId()}`, body: pack });
    }
  };
  await Promise.all([sendOn(), sendOn()]);
}

const server = await startServerProcess(
  join(folder, 'data'),
  ['--store', join(folder, 'store'), '--listen', '127.0.0.1:0'],
  { COFRE_BENCH_LOOP_DELAY: resultFile },
  ([node = '', ...rest]) => [node, '--import', probe, ...rest],
);
try {
  serverProcess = server.processId;
  const tenants: ServedTenant[] = [];
  for (let count = 0; count < Number(values.agents); count++)
    tenants.push(await serveTenant(server, `load ${count}`));
  const packs = tenants.map(({ device }) =>
    samplePack(Array.from({ length: 8 }, () => sampleBlob(device, { sealedLength: MIB - 1000 }))),
  );
  await signalServer();
  const startedMs = performance.now();
  await Promise.all(
    tenants.map((tenant, place) => sendPacks(tenant, packs[place] as Buffer, Number(values.packs))),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  await signalServer();
  if (!existsSync(resultFile)) throw new Error('the server has not reported');
  const { p50Ms, p99Ms, maxMs, peakMiB } = JSON.parse(readFileSync(resultFile, 'utf8')) as Record<
    string,
    number
  >;
  const sentMiB = Number(values.agents) * Number(values.packs) * 8;
  console.log(`Node ${process.versions.node}; ${cpus().length} cores (${cpus()[0]?.model})`);
  console.log(
    `${values.agents} agents, ${sentMiB} MiB in ${seconds.toFixed(1)} s (${(sentMiB / seconds).toFixed(0)} MiB/s)`,
  );
  console.log(
    `delay of the event loop: median ${p50Ms?.toFixed(1)} ms, p99 ${p99Ms?.toFixed(1)} ms, most ${maxMs?.toFixed(1)} ms`,
  );
  console.log(`peak memory of the server: ${peakMiB} MiB`);
} finally {
  await server.stop();
  rmSync(folder, { recursive: true });
}
