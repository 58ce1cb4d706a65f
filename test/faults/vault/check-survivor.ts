import { readFileSync } from 'node:fs';
import { snapshotIdOf } from '@cofre/shared/format/envelope/manifest';
import type { ChunkId, SnapshotId } from '@cofre/shared/ids';
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

type WriterEvent =
  | { readonly event: 'begun'; readonly ids: DeviceIds }
  | { readonly event: 'made' | 'closed' }
  | { readonly event: 'fatal'; readonly problem: string }
  | { readonly event: 'sending'; readonly file: string; readonly operationId: string }
  | {
      readonly event: 'pack';
      readonly operationId: string;
      readonly packNumber: number;
      readonly chunkIds: ChunkId[];
    }
  | { readonly event: 'committing'; readonly manifest: string; readonly refs: ChunkId[] }
  | {
      readonly event: 'snapshot';
      readonly number: number;
      readonly snapshotId: SnapshotId;
      readonly refs: ChunkId[];
    };

/** What the writer said before it ended. */
export type WriterLog = ProgramLog<WriterEvent>;

/** Runs the writer to its end, whichever that is. */
export function runWriter(folder: string, options?: ProgramOptions): Promise<WriterLog> {
  return runVaultProgram('vault-writer.ts', folder, options);
}

function only<Name extends WriterEvent['event']>(log: WriterLog, name: Name) {
  return log.events.filter((event): event is Extract<WriterEvent, { event: Name }> => event.event === name);
}

/**
 * Opens what a writer left and checks that all it was promised is there, that nothing else is wrong, and that the
 * device can go on: everything that was on its way is sent again under the same operation.
 */
export async function checkSurvivor(folder: string, log: WriterLog): Promise<void> {
  const [begun] = only(log, 'begun');
  const opened = await openSampleVaults({}, folder);
  try {
    if (begun === undefined || only(log, 'made').length === 0) return;
    const device = deviceFrom(begun.ids);
    const vault = await opened.vaults.open(device.tenantId);
    expect(await verifyAll(vault)).toEqual([]);
    await expectPromisesKept(vault, device, log);
    await goOn(vault, device, log);
    expect(await verifyAll(vault)).toEqual([]);
  } finally {
    await opened.vaults.close();
  }
}

async function expectPromisesKept(vault: Vault, device: SampleDevice, log: WriterLog): Promise<void> {
  const sent = new Map(
    only(log, 'sending').map(({ operationId, file }) => [operationId, readFileSync(file)]),
  );
  for (const { operationId, chunkIds } of only(log, 'pack')) {
    for (const blob of await readBlobs(vault, device, chunkIds)) {
      expect(blob.status).toBe('found');
      expect(sent.get(operationId)?.includes(blob.bytes)).toBe(true);
    }
  }
  const listed = await listIds(vault, device);
  for (const { snapshotId, refs } of only(log, 'snapshot')) {
    expect(listed).toContain(snapshotId);
    const read = await readBlobs(vault, device, refs);
    expect(new Set(read.map(({ status }) => status))).toEqual(new Set(['found']));
  }
  // What was not acknowledged may be there or not; what was never sent may not.
  const known: string[] = only(log, 'committing').map(({ manifest }) =>
    snapshotIdOf(Buffer.from(manifest, 'base64')),
  );
  expect(listed.filter((id) => !known.includes(id))).toEqual([]);
}

async function goOn(vault: Vault, device: SampleDevice, log: WriterLog): Promise<void> {
  const run = await SampleRun.open(vault, device);
  for (const { operationId, file } of only(log, 'sending')) {
    await run.sendBytes(readFileSync(file), operationId);
  }
  const last = only(log, 'committing').at(-1);
  if (last === undefined) return;
  await run.stage('add', last.refs);
  const object = Buffer.from(last.manifest, 'base64');
  const result = await vault.commit(device.caller, run.sessionId, object, 'full');
  expect(result.status).toBe('committed');
  expect(await listIds(vault, device)).toHaveLength(only(log, 'committing').length);
}

async function listIds(vault: Vault, device: SampleDevice): Promise<string[]> {
  const query = { after: 0, limit: 100, setId: undefined, deviceId: undefined };
  return (await vault.listSnapshots(device.caller, query)).items.map(({ snapshotId }) => snapshotId);
}
