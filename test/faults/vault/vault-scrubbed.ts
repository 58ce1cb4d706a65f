// Makes a vault, damages it in places that are known, and scrubs it, until it is ended. Says on standard output how far it
// is: one JSON line each.
//
// node vault-scrubbed.ts FOLDER [CRASH_POINT COUNT]

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import { flipBit } from '../../builders/flip-bit.ts';
import { SampleRun } from '../../builders/sample-vault.ts';
import { sampleBlob } from '../../builders/vault-samples.ts';
import { createVaultOf, newDevice, openCrashingVaults, say } from './crashing-vaults.ts';

const BLOBS = 6;

const { storeFolder, vaults } = await openCrashingVaults();
const { device, ids } = newDevice();
const vault = await createVaultOf(vaults, device);
const blobs = Array.from({ length: BLOBS }, () => sampleBlob(device, { sealedLength: 2_000 }));
const { root } = await (await SampleRun.open(vault, device)).backUp(blobs);

const pathOf = (path: string): string => join(storeFolder, device.tenantId, path);

const objects = readdirSync(pathOf('objects'));
const content = Object.fromEntries(
  objects.map((name) => [name, readFileSync(pathOf(`objects/${name}`)).toString('base64')]),
);
const [first, second] = blobs;
say({
  event: 'made',
  ids,
  blobs: [...blobs, root].map(({ chunkId, type, bytes }) => ({
    chunkId,
    type,
    bytes: bytes.toString('base64'),
  })),
  damaged: [first?.chunkId, second?.chunkId],
  objects: content,
});
flipBit(pathOf('packs/01/1.pack'), PACK_HEADER_BYTES + 500);
flipBit(pathOf('packs/01/1.pack'), PACK_HEADER_BYTES + (first?.bytes.length ?? 0) + 500);
flipBit(pathOf('packs/02/2.pack'), -20);
for (const [place, name] of objects.entries()) {
  if (place % 2 === 0) flipBit(pathOf(`objects/${name}`), 10);
  else rmSync(pathOf(`objects/${name}`));
}
const run = { signal: new AbortController().signal, bytesPerSecond: null, everything: true };
say({ event: 'scrubbed', result: await vault.runScrub(run) });
await vaults.close();
say({ event: 'closed' });
