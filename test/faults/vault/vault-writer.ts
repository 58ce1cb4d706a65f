// Writes into a vault until it is ended, and says on standard output what was acknowledged: one JSON line each. What it
// is about to send is kept in files first, so that whoever checks can send it again.
//
// node vault-writer.ts FOLDER [CRASH_POINT COUNT]

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newRandomId, type ChunkId } from '@cofre/shared/ids';
import { SampleRun } from '../../builders/sample-vault.ts';
import {
  sampleBlob,
  samplePack,
  sampleSnapshot,
  type SampleBlob,
  type SampleSnapshot,
} from '../../builders/vault-samples.ts';
import { createVaultOf, newDevice, openCrashingVaults, say } from './crashing-vaults.ts';

const SNAPSHOTS = 3;
const PACKS_AT_ONCE = 2;

const { folder, vaults } = await openCrashingVaults();
const { device, ids } = newDevice();
say({ event: 'begun', ids });
const vault = await createVaultOf(vaults, device);
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
