import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@cofre/shared/hash';
import type { ChunkId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { Vault } from '@cofre/server/vault/vault';
import { expect } from 'vitest';
import { openSampleVaults, readBlobs, verifyAll } from '../../builders/sample-vault.ts';
import { storedPackBytes } from '../../builders/stored-bytes.ts';
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
  readonly kept: readonly { readonly chunkId: ChunkId; readonly sha256: string; readonly length: number }[];
  readonly gone: readonly ChunkId[];
}

type CollectorEvent = { readonly event: string } | Made;

/** Runs the collector to its end, whichever that is. */
export function runCollector(folder: string, options?: ProgramOptions): Promise<ProgramLog<CollectorEvent>> {
  return runVaultProgram('vault-collector.ts', folder, options);
}

/** What is needed may take this much more than its own bytes. */
const OVERHEAD = 1.1;

/**
 * Opens what a collector left, and checks that everything that is needed is there, that nothing is wrong, and that the
 * next collections give all space back, whatever was half done.
 */
export async function checkCollected(folder: string, log: ProgramLog<CollectorEvent>): Promise<void> {
  const made = log.events.find((event): event is Made => event.event === 'made');
  expect(made, 'it ended before it had made a vault').toBeDefined();
  const { ids, kept, gone } = made as Made;
  const device = deviceFrom(ids);
  const opened = await openSampleVaults({}, folder);
  try {
    const vault = await opened.vaults.open(ids.tenantId);
    expect(await verifyAll(vault)).toEqual([]);
    await expectKept(vault, device, kept);
    const options = { signal: new AbortController().signal, bytesPerSecond: null, readersGraceMs: 0 };
    for (let count = 0; count < 2; count++) {
      opened.passHours(LIMITS.condemnedGraceMs / 3_600_000 + 1);
      await vault.runCollection(options);
      expect(await verifyAll(vault)).toEqual([]);
    }
    await expectKept(vault, device, kept);
    const read = await readBlobs(vault, device, gone);
    expect(new Set(read.map(({ status }) => status))).toEqual(new Set(['missing']));
    const keptBytes = kept.reduce((sum, { length }) => sum + length, 0);
    expect(storedPackBytes(opened.storeFolder, ids.tenantId)).toBeLessThan(keptBytes * OVERHEAD);
    expect(readdirSync(join(opened.storeFolder, ids.tenantId, 'incoming'))).toEqual([]);
  } finally {
    await opened.vaults.close();
  }
}

async function expectKept(vault: Vault, device: SampleDevice, kept: Made['kept']): Promise<void> {
  const read = await readBlobs(
    vault,
    device,
    kept.map(({ chunkId }) => chunkId),
  );
  for (const [place, { status, bytes }] of read.entries()) {
    expect(status).toBe('found');
    expect(sha256(bytes).toString('hex')).toBe(kept[place]?.sha256);
  }
}
