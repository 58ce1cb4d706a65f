import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BlobType } from '@cofre/shared/format/envelope/blob';
import type { ChunkId } from '@cofre/shared/ids';
import type { Vault } from '@cofre/server/vault/vault';
import { expect } from 'vitest';
import { openSampleVaults, readBlobs, SampleRun, verifyAll } from '../../builders/sample-vault.ts';
import type { SampleDevice } from '../../builders/vault-samples.ts';
import {
  deviceFrom,
  runVaultProgram,
  type DeviceIds,
  type ProgramLog,
  type ProgramOptions,
} from './vault-program.ts';

interface Made {
  readonly event: 'made';
  readonly ids: DeviceIds;
  readonly blobs: readonly { readonly chunkId: ChunkId; readonly type: BlobType; readonly bytes: string }[];
  readonly damaged: readonly ChunkId[];
  readonly objects: Readonly<Record<string, string>>;
}

type ScrubbedEvent = { readonly event: string } | Made;

/** Runs the scrub to its end, whichever that is. */
export function runScrubbed(folder: string, options?: ProgramOptions): Promise<ProgramLog<ScrubbedEvent>> {
  return runVaultProgram('vault-scrubbed.ts', folder, options);
}

/**
 * Opens what a scrub left half done and checks that nothing but what was damaged counts as missing, that every object is
 * either the damaged one or the whole one, and that the next scrub and the next backup put all of it in order.
 */
export async function checkScrubbed(folder: string, log: ProgramLog<ScrubbedEvent>): Promise<void> {
  const made = log.events.find((event): event is Made => event.event === 'made');
  expect(made, 'it ended before it had made a vault').toBeDefined();
  const { ids, blobs, damaged, objects } = made as Made;
  const device = deviceFrom(ids);
  const opened = await openSampleVaults({}, folder);
  try {
    const vault = await opened.vaults.open(ids.tenantId);
    const missing = await missingOf(vault, device, blobs);
    expect([[], [...damaged]]).toContainEqual(missing);
    await vault.runScrub({ signal: new AbortController().signal, bytesPerSecond: null, everything: true });
    expect(await missingOf(vault, device, blobs)).toEqual(damaged);
    const listed = await vault.listDamages();
    expect(listed.open).toBe(damaged.length);
    expect(listed.items.filter(({ object }) => object !== null)).not.toEqual([]);
    expectObjects(join(opened.storeFolder, ids.tenantId), objects);
    await sendAgain(vault, device, blobs, damaged);
    expect((await verifyAll(vault)).filter(({ isWarning }) => isWarning !== true)).toEqual([]);
    expect(await vault.listDamages()).toMatchObject({ open: 0 });
    const read = await readBlobs(
      vault,
      device,
      blobs.map(({ chunkId }) => chunkId),
    );
    expect(read.map(({ bytes }) => bytes.toString('base64'))).toEqual(blobs.map(({ bytes }) => bytes));
  } finally {
    await opened.vaults.close();
  }
}

async function missingOf(vault: Vault, device: SampleDevice, blobs: Made['blobs']): Promise<ChunkId[]> {
  const run = await SampleRun.open(vault, device);
  const flags = await run.have(blobs.map(({ chunkId }) => chunkId));
  return blobs.filter((_, place) => flags[place] === 0).map(({ chunkId }) => chunkId);
}

function expectObjects(folder: string, objects: Made['objects']): void {
  const names = readdirSync(join(folder, 'objects')).sort();
  expect(names).toEqual(Object.keys(objects).sort());
  for (const name of names) {
    const bytes = readFileSync(join(folder, 'objects', name)).toString('base64');
    expect([name, bytes]).toEqual([name, objects[name]]);
  }
  expect(readdirSync(join(folder, 'incoming'))).toEqual([]);
}

async function sendAgain(
  vault: Vault,
  device: SampleDevice,
  blobs: Made['blobs'],
  damaged: readonly ChunkId[],
): Promise<void> {
  const run = await SampleRun.open(vault, device);
  const lost = blobs.filter(({ chunkId }) => damaged.includes(chunkId));
  const sent = lost.map(({ bytes, ...blob }) => ({ ...blob, bytes: Buffer.from(bytes, 'base64') }));
  expect(await run.send(sent)).toMatchObject({ healed: damaged.length });
}
