// Makes a vault, damages it in places that are known, and scrubs it, until it is ended. Says on standard output how far it
// is: one JSON line each.
//
// node vault-scrubbed.ts FOLDER [CRASH_POINT COUNT]

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import { newRandomId, type TenantId } from '@cofre/shared/ids';
import { openVaults } from '@cofre/server/vault/open-vaults';
import { SampleRun } from '../../builders/sample-vault.ts';
import {
  sampleBlob,
  sampleDevice,
  sampleDomainObject,
  sampleKeyringObject,
} from '../../builders/vault-samples.ts';

const BLOBS = 6;
/** How it ends when the storage failed: main of the server does the same. */
const EXIT_STORAGE_FAILED = 70;

const [folder = '', crashAt, crashCount = '1'] = process.argv.slice(2);
let pointsLeft = Number(crashCount);

function say(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

const storeFolder = join(folder, 'store');
const vaults = await openVaults({
  dataFolder: join(folder, 'data'),
  storeFolder,
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
await vaults.create(tenantId, 'A tenant');
await vaults.setQuota(tenantId, 2 ** 40);
const vault = await vaults.open(tenantId);
await vault.storeObject(device.caller, 'domain', sampleDomainObject(device));
await vault.storeObject(device.caller, 'keyring', sampleKeyringObject(device, device.keyPeriodId));
const blobs = Array.from({ length: BLOBS }, () => sampleBlob(device, { sealedLength: 2_000 }));
const { root } = await (await SampleRun.open(vault, device)).backUp(blobs);

const pathOf = (path: string): string => join(storeFolder, tenantId, path);
function flipBit(path: string, offset: number): void {
  const bytes = readFileSync(path);
  const place = offset < 0 ? bytes.length + offset : offset;
  bytes[place] = (bytes[place] as number) ^ 1;
  writeFileSync(path, bytes);
}

const objects = readdirSync(pathOf('objects'));
const content = Object.fromEntries(
  objects.map((name) => [name, readFileSync(pathOf(`objects/${name}`)).toString('base64')]),
);
const [first, second] = blobs;
const { deviceId, domainId, setId, keyPeriodId } = device;
say({
  event: 'made',
  ids: { tenantId, deviceId, domainId, setId, keyPeriodId, seed: seed.toString('hex') },
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
