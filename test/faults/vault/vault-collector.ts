// Makes a vault of which half is not needed, and collects it, until it is ended. Says on standard output how far it is: one
// JSON line each.
//
// node vault-collector.ts FOLDER [CRASH_POINT COUNT]

import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openVaults } from '@cofre/server/vault/open-vaults';
import { sha256 } from '@cofre/shared/hash';
import { newRandomId, type TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { SampleRun } from '../../builders/sample-vault.ts';
import {
  sampleBlob,
  sampleDevice,
  sampleDomainObject,
  sampleKeyringObject,
  sampleSnapshot,
  type SampleBlob,
} from '../../builders/vault-samples.ts';

const PACKS = 4;
const BLOBS_EACH = 4;
const BLOB_BYTES = 20_000;
const HOUR_MS = 3_600_000;
/** How it ends when the storage failed: main of the server does the same. */
const EXIT_STORAGE_FAILED = 70;

const [folder = '', crashAt, crashCount = '1'] = process.argv.slice(2);
let pointsLeft = Number(crashCount);
let aheadMs = 0;

function say(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

const vaults = await openVaults({
  dataFolder: join(folder, 'data'),
  storeFolder: join(folder, 'store'),
  storeHeadroomBytes: 0,
  clockSources: { wallMs: () => Date.now() + aheadMs, monotonicMs: () => performance.now() + aheadMs },
  onFatal: (error) => {
    say({ event: 'fatal', problem: error.message });
    process.exit(EXIT_STORAGE_FAILED);
  },
  crashPoint: (name) => {
    if (name === crashAt && --pointsLeft === 0) process.kill(process.pid, 'SIGKILL');
  },
});

const tenantId = newRandomId<TenantId>();
const seed = randomBytes(32);
const device = sampleDevice(tenantId, seed);
await vaults.create(tenantId, 'A tenant');
await vaults.setQuota(tenantId, 2 ** 40);
const vault = await vaults.open(tenantId);
await vault.storeObject(device.caller, 'domain', sampleDomainObject(device));
await vault.storeObject(device.caller, 'keyring', sampleKeyringObject(device, device.keyPeriodId));

const makeBlobs = (): SampleBlob[] =>
  Array.from({ length: BLOBS_EACH }, () => sampleBlob(device, { sealedLength: BLOB_BYTES }));
const run = await SampleRun.open(vault, device);
const kept: SampleBlob[] = [];
const gone: SampleBlob[] = [];
for (let count = 0; count < PACKS; count++) {
  const [stays, goes] = [makeBlobs(), makeBlobs()];
  await run.send([...stays, ...goes]);
  kept.push(...stays);
  gone.push(...goes);
}
const whole = makeBlobs();
await run.send(whole);
gone.push(...whole);
const root = sampleBlob(device, { type: 'catalog', table: kept.map(({ chunkId }) => chunkId) });
await run.send([root], 'catalog');
kept.push(root);
const refs = kept.map(({ chunkId }) => chunkId);
await run.stage('add', refs);
const committed = await run.commit(sampleSnapshot(device, refs, root.chunkId));
if (committed.status !== 'committed') throw new Error('the commit was refused');
const { deviceId, domainId, setId, keyPeriodId } = device;
say({
  event: 'made',
  ids: { tenantId, deviceId, domainId, setId, keyPeriodId, seed: seed.toString('hex') },
  kept: kept.map(({ chunkId, bytes }) => ({
    chunkId,
    sha256: sha256(bytes).toString('hex'),
    length: bytes.length,
  })),
  gone: gone.map(({ chunkId }) => chunkId),
});

const options = { signal: new AbortController().signal, bytesPerSecond: null, readersGraceMs: 0 };
aheadMs += HOUR_MS;
await vault.runCollection(options);
say({ event: 'condemned' });
aheadMs += LIMITS.condemnedGraceMs + HOUR_MS;
say({ event: 'collected', result: await vault.runCollection(options) });
await vaults.close();
say({ event: 'closed' });
