import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ChunkId, SetId } from '@cofre/shared/ids';
import { openSampleVaults, readBlobs, SampleRun, verifyAll } from '../builders/sample-vault.ts';
import { sampleBlob } from '../builders/vault-samples.ts';
import { deviceFrom, runVaultProgram, type DeviceIds, type ProgramOptions } from './vault/vault-program.ts';

interface Made {
  readonly event: 'made';
  readonly ids: DeviceIds;
  readonly otherSet: SetId;
  readonly kept: { snapshotId: string; refs: ChunkId[] }[];
  readonly given: { snapshotId: string; refs: ChunkId[] }[];
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-retention-kill-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function runWriter(crash?: ProgramOptions['crash']): Promise<{ signal: string | null; made: Made }> {
  const options = crash === undefined ? {} : { crash };
  const { signal, events } = await runVaultProgram<Made>('retention-writer.ts', folder, options);
  const [made] = events;
  if (made === undefined) throw new Error('it ended before it had made a vault');
  return { signal, made };
}

/** What was kept is whole, the next call finishes what was begun, and both sets can go on. */
async function checkSurvivor(made: Made): Promise<void> {
  const opened = await openSampleVaults({}, folder);
  try {
    const vault = await opened.vaults.open(made.ids.tenantId);
    expect(await verifyAll(vault)).toEqual([]);
    // The service's time may have lost what the process that was killed did not save.
    opened.passHours(70 * 24);
    await vault.retention.dropExpired();
    expect(await verifyAll(vault)).toEqual([]);
    const device = deviceFrom(made.ids);
    const { items } = await vault.retention.preview({});
    expect(items.filter(({ state }) => state !== 'gone').map(({ snapshotId }) => snapshotId)).toEqual([
      made.kept.at(-1)?.snapshotId,
    ]);
    const read = await readBlobs(vault, device, made.kept.at(-1)?.refs ?? []);
    expect(read.map(({ status }) => status)).toEqual(['found', 'found', 'found']);
    const sets = await vault.retention.countSets();
    const length = read.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(sets.map(({ headBytes, pastBytes }) => [headBytes, pastBytes])).toEqual([
      [length, 0],
      [0, 0],
    ]);
    const run = await SampleRun.open(vault, device, made.otherSet);
    const previous = { snapshotId: made.given.at(-1)?.snapshotId, manifest: { sequence: made.given.length } };
    const next = await run.backUp([sampleBlob(device)], previous as never);
    expect(next.result.status).toBe('committed');
    expect(await verifyAll(vault)).toEqual([]);
  } finally {
    await opened.vaults.close();
  }
}

test('content that went in peace leaves a clean vault', async () => {
  const { signal, made } = await runWriter();
  expect(signal).toBeNull();
  await checkSurvivor(made);
});

test.each([
  ['tombstone-durable', 1],
  ['tombstone-recorded', 1],
  ['snapshot-released', 1],
  ['snapshot-released', 4],
  ['snapshot-released', 5],
] as const)(
  'killed at %s (%s), a vault has all that it keeps, and goes on letting go',
  async (point, count) => {
    const { signal, made } = await runWriter([point, count]);
    expect(signal).toBe('SIGKILL');
    await checkSurvivor(made);
  },
);
