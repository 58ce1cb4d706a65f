// Makes a vault of which half is not needed, and collects it, until it is ended. Says on standard output how far it is: one
// JSON line each.
//
// node vault-collector.ts FOLDER [CRASH_POINT COUNT]

import { sha256 } from '@cofre/shared/hash';
import { LIMITS } from '@cofre/shared/limits';
import { SampleRun } from '../../builders/sample-vault.ts';
import { sampleBlob, sampleSnapshot, type SampleBlob } from '../../builders/vault-samples.ts';
import { createVaultOf, newDevice, openCrashingVaults, say } from './crashing-vaults.ts';

const PACKS = 4;
const BLOBS_EACH = 4;
const BLOB_BYTES = 20_000;
const HOUR_MS = 3_600_000;

const { vaults, passMs } = await openCrashingVaults();
const { device, ids } = newDevice();
const vault = await createVaultOf(vaults, device);

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
say({
  event: 'made',
  ids,
  kept: kept.map(({ chunkId, bytes }) => ({
    chunkId,
    sha256: sha256(bytes).toString('hex'),
    length: bytes.length,
  })),
  gone: gone.map(({ chunkId }) => chunkId),
});

const options = { signal: new AbortController().signal, bytesPerSecond: null, readersGraceMs: 0 };
passMs(HOUR_MS);
await vault.runCollection(options);
say({ event: 'condemned' });
passMs(LIMITS.condemnedGraceMs + HOUR_MS);
say({ event: 'collected', result: await vault.runCollection(options) });
await vaults.close();
say({ event: 'closed' });
