import { afterEach, beforeEach, expect, test } from 'vitest';
import { LIMITS } from '@cofre/shared/limits';
import {
  addSampleTenant,
  openSampleVaults,
  readBlobs,
  SampleRun,
  verifyAll,
  type OpenedVaults,
} from '../../../../../test/builders/sample-vault.ts';
import {
  sampleBlob,
  sampleSnapshot,
  type SampleBlob,
  type SampleDevice,
  type SampleSnapshot,
} from '../../../../../test/builders/vault-samples.ts';
import { IndexConnection } from '../index/connection.ts';
import { releaseStep, type ReleasePlace } from '../index/retention-release.store.ts';
import type { Vault } from '../vault.ts';

let opened: OpenedVaults;
let vault: Vault;
let device: SampleDevice;
let stopAt: string | null = null;

beforeEach(async () => {
  opened = await openSampleVaults({
    crashPoint: (name) => {
      if (name === stopAt) throw new Error('stopped');
    },
  });
  ({ vault, device } = await addSampleTenant(opened));
});

afterEach(async () => {
  stopAt = null;
  await opened.remove();
});

const SNAPSHOTS = 4;

/** Snapshots that each leave one piece of the one before out, and bring two. */
async function backUpSome(): Promise<{ snapshots: SampleSnapshot[]; blobs: SampleBlob[][] }> {
  const snapshots: SampleSnapshot[] = [];
  const blobs: SampleBlob[][] = [];
  let content: SampleBlob[] = [];
  for (let count = 0; count < SNAPSHOTS; count++) {
    const run = await SampleRun.open(vault, device);
    const added = [sampleBlob(device), sampleBlob(device)];
    content = [...content.slice(1), ...added];
    const root = sampleBlob(device, { type: 'catalog', table: content.map(({ chunkId }) => chunkId) });
    await run.send(added);
    await run.send([root], 'catalog');
    const refs = [...content, root].map(({ chunkId }) => chunkId);
    await run.stage('add', refs);
    const snapshot = sampleSnapshot(device, refs, root.chunkId, snapshots.at(-1) ?? null);
    expect((await run.commit(snapshot)).status).toBe('committed');
    await vault.closeSession(device.caller, run.sessionId);
    snapshots.push(snapshot);
    blobs.push([...content, root]);
  }
  opened.passHours(LIMITS.lockDefaultMs / 3_600_000);
  return { snapshots, blobs };
}

/** Ends the process, as it were, when the tombstones of what is deleted have their rows. */
async function stopAfterTombstones(): Promise<void> {
  opened.passHours(LIMITS.softDeleteDefaultMs / 3_600_000);
  stopAt = 'tombstone-recorded';
  await expect(vault.retention.dropExpired()).rejects.toThrow('stopped');
  stopAt = null;
}

/** Lets rows go one by one, each in a process of its own; gives how many steps there were, and what they freed. */
async function releaseOneByOne(check: () => Promise<void>): Promise<{ steps: number; freedBytes: number }> {
  const file = opened.databaseOf(vault.tenantId);
  const { tenantId } = vault;
  const total = { steps: 0, freedBytes: 0 };
  let after: ReleasePlace | null = null;
  for (;;) {
    await opened.vaults.close();
    const index = new IndexConnection(file);
    const step = index.database.transaction(() => releaseStep(index, { rowsMax: 1, after }))();
    after = step.place;
    index.close();
    opened = await opened.reopen();
    vault = await opened.vaults.open(tenantId);
    expect(await verifyAll(vault)).toEqual([]);
    await check();
    if (step.isDone) return total;
    total.steps += 1;
    total.freedBytes += step.freedBytes;
  }
}

async function expectReadable(blobs: readonly SampleBlob[]): Promise<void> {
  const ids = blobs.map(({ chunkId }) => chunkId);
  for (const [place, { status, bytes }] of (await readBlobs(vault, device, ids)).entries()) {
    expect([status, bytes.equals((blobs[place] as SampleBlob).bytes)]).toEqual(['found', true]);
  }
}

function lengthOf(blobs: readonly SampleBlob[]): number {
  return blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

test('after each row that a deleted snapshot leaves behind, the vault is sound and the others are whole', async () => {
  const { snapshots, blobs } = await backUpSome();
  for (const place of [0, 1]) {
    await vault.retention.deleteSnapshot((snapshots[place] as SampleSnapshot).snapshotId, false);
  }
  await stopAfterTombstones();
  const { steps, freedBytes } = await releaseOneByOne(() =>
    expectReadable([...(blobs[2] as SampleBlob[]), ...(blobs[3] as SampleBlob[])]),
  );
  // Two roots, and the piece of each that its next one left out.
  expect(steps).toBeGreaterThanOrEqual(4);
  const stays = [...(blobs[2] as SampleBlob[]), ...(blobs[3] as SampleBlob[])];
  const went = [...(blobs[0] as SampleBlob[]), ...(blobs[1] as SampleBlob[])];
  const gone = new Set(went.filter((blob) => !stays.includes(blob)));
  expect(freedBytes).toBe(lengthOf([...gone]));
});

test('after each row that a deleted head leaves behind too, and a next snapshot comes in between', async () => {
  const { snapshots, blobs } = await backUpSome();
  await vault.retention.deleteSnapshot((snapshots[3] as SampleSnapshot).snapshotId, false);
  await vault.retention.deleteSnapshot((snapshots[0] as SampleSnapshot).snapshotId, false);
  await stopAfterTombstones();
  let checks = 0;
  const older = [...(blobs[1] as SampleBlob[]), ...(blobs[2] as SampleBlob[])];
  const next: SampleBlob[] = [];
  await releaseOneByOne(async () => {
    await expectReadable([...older, ...next]);
    if (++checks !== 5) return;
    const run = await SampleRun.open(vault, device);
    const kept = (blobs[2] as SampleBlob[])[1] as SampleBlob;
    const root = sampleBlob(device, { type: 'catalog', table: [kept.chunkId] });
    await run.send([root], 'catalog');
    // A device that believed in the head, and sends what changed, is told to send all of it.
    await run.stage('add', [root.chunkId]);
    const whole = sampleSnapshot(device, [kept.chunkId, root.chunkId], root.chunkId, snapshots[3]);
    await expect(run.commit(whole, 'delta')).rejects.toMatchObject({ code: 'refset_mismatch' });
    await run.stage('add', [kept.chunkId]);
    expect((await run.commit(whole)).status).toBe('committed');
    next.push(kept, root);
  });
  expect(next).toHaveLength(2);
  const items = (await vault.retention.preview({})).items.map(({ state }) => state);
  expect(items).toEqual(['gone', 'kept', 'kept', 'gone', 'kept']);
});
