// Writes into a vault until it is ended, and says on standard output what was acknowledged: one JSON line each. What it
// is about to send is kept in files first, so that whoever checks can send it again.
//
// node vault-writer.ts FOLDER [CRASH_POINT COUNT]

import { randomBytes } from 'node:crypto';
import { statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { newRandomId, type ChunkId, type TenantId } from '@cofre/shared/ids';
import { openVaults } from '@cofre/server/vault/open-vaults';
import { SampleRun } from '../../builders/sample-vault.ts';
import {
  sampleBlob,
  sampleDevice,
  sampleDomainObject,
  sampleKeyringObject,
  samplePack,
  sampleSnapshot,
  type SampleBlob,
  type SampleSnapshot,
} from '../../builders/vault-samples.ts';

const SNAPSHOTS = 3;
const PACKS_AT_ONCE = 2;
/** How it ends when the storage failed: main of the server does the same. */
const EXIT_STORAGE_FAILED = 70;

const [folder = '', crashAt, crashCount = '1'] = process.argv.slice(2);
let pointsLeft = Number(crashCount);

/** The log of all writes to the disk, when somebody records them: each line says how long it is by then. */
const writeLog = process.env['COFRE_TEST_WRITE_LOG'];

function say(line: object): void {
  const said = writeLog === undefined ? line : { ...line, at: statSync(writeLog).size };
  writeSync(1, `${JSON.stringify(said)}\n`);
}

const vaults = await openVaults({
  dataFolder: join(folder, 'data'),
  storeFolder: join(folder, 'store'),
  storeHeadroomBytes: 0,
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
const { deviceId, domainId, setId, keyPeriodId } = device;
const ids = { tenantId, deviceId, domainId, setId, keyPeriodId, seed: seed.toString('hex') };
say({ event: 'begun', ids });
await vaults.create(tenantId, 'A tenant');
await vaults.setQuota(tenantId, 2 ** 40);
const vault = await vaults.open(tenantId);
await vault.storeObject(device.caller, 'domain', sampleDomainObject(device));
await vault.storeObject(device.caller, 'keyring', sampleKeyringObject(device, keyPeriodId));
say({ event: 'made' });

let packCount = 0;
async function send(run: SampleRun, blobs: SampleBlob[], kind: 'content' | 'catalog'): Promise<void> {
  const operationId = newRandomId();
  const file = join(folder, `sent-${++packCount}`);
  const bytes = samplePack(blobs, kind);
  writeFileSync(file, bytes);
  say({ event: 'sending', file, operationId });
  const { packNumber } = await run.sendBytes(bytes, operationId);
  say({ event: 'pack', operationId, packNumber, chunkIds: blobs.map(({ chunkId }) => chunkId) });
}

let previous: SampleSnapshot | null = null;
for (let count = 0; count < SNAPSHOTS; count++) {
  const run = await SampleRun.open(vault, device);
  const packs = Array.from({ length: PACKS_AT_ONCE }, () => [
    sampleBlob(device),
    sampleBlob(device, { sealedLength: 150_000 }),
  ]);
  await Promise.all(packs.map((blobs) => send(run, blobs, 'content')));
  const content: ChunkId[] = packs.flat().map(({ chunkId }) => chunkId);
  const root = sampleBlob(device, { type: 'catalog', table: content });
  await send(run, [root], 'catalog');
  const refs = [...content, root.chunkId];
  await run.stage('add', refs);
  const snapshot: SampleSnapshot = sampleSnapshot(device, refs, root.chunkId, previous);
  say({ event: 'committing', manifest: snapshot.object.toString('base64'), refs });
  const result = await run.commit(snapshot);
  if (result.status !== 'committed') throw new Error('the commit was refused');
  say({ event: 'snapshot', number: result.number, snapshotId: snapshot.snapshotId, refs });
  previous = snapshot;
}
await vaults.close();
say({ event: 'closed' });
