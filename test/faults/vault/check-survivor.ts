import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { snapshotIdOf } from '@cofre/shared/format/envelope/manifest';
import type { ChunkId, SnapshotId } from '@cofre/shared/ids';
import type { Vault } from '@cofre/server/vault/vault';
import { expect } from 'vitest';
import { openSampleVaults, readBlobs, SampleRun, verifyAll } from '../../builders/sample-vault.ts';
import { sampleDevice, type SampleDevice } from '../../builders/vault-samples.ts';

const WRITER = join(import.meta.dirname, 'vault-writer.ts');

/** What the writer said before it ended. */
export interface WriterLog {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly events: readonly WriterEvent[];
}

type WriterEvent =
  | { readonly event: 'begun'; readonly ids: Identity }
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

type Identity = Pick<SampleDevice, 'tenantId' | 'deviceId' | 'domainId' | 'setId' | 'keyPeriodId'> & {
  readonly seed: string;
};

/** Runs the writer to its end, whichever that is. @param prefix a program that runs it, such as strace */
export async function runWriter(
  folder: string,
  options: { prefix?: readonly string[]; crash?: readonly [point: string, count: number] } = {},
): Promise<WriterLog> {
  const { prefix = [], crash = [] } = options;
  const [program = '', ...words] = [...prefix, process.execPath, WRITER, folder, ...crash.map(String)];
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'ignore'],
    // One thread of libuv, so that calls to the file system come in one order.
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const [exitCode, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once('close', (code, name) => resolve([code, name]));
  });
  const lines = output.split('\n').slice(0, -1);
  return { exitCode, signal, events: lines.map((line) => JSON.parse(line) as WriterEvent) };
}

/** Runs a program so that its sync number `when` (counted for each thread) fails or kills it. */
export function injectIntoSyncs(what: 'signal=KILL' | 'error=EIO', when: number): string[] {
  const inject = `inject=fsync,fdatasync:${what}:when=${when}`;
  return ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync', '-e', inject];
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
    const { seed, ...ids } = begun.ids;
    const made = sampleDevice(ids.tenantId, Buffer.from(seed, 'hex'));
    const device = { ...made, ...ids, caller: { ...made.caller, deviceId: ids.deviceId } };
    const vault = await opened.vaults.open(ids.tenantId);
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
