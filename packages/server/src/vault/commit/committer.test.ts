import { newRandomId, type ChunkId, type SetId, type SnapshotId } from '@cofre/shared/ids';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  addSampleDevice,
  addSampleTenant,
  openSampleVaults,
  readBlobs,
  SampleRun,
  verifyAll,
  type OpenedVaults,
} from '../../../../../test/builders/sample-vault.ts';
import {
  sampleBlob,
  sampleDevice,
  sampleSnapshot,
  type SampleBlob,
  type SampleDevice,
} from '../../../../../test/builders/vault-samples.ts';
import { IndexConnection } from '../index/connection.ts';
import type { Vault } from '../vault.ts';

let opened: OpenedVaults;
let vault: Vault;
let device: SampleDevice;
let run: SampleRun;

beforeAll(async () => {
  opened = await openSampleVaults();
});

afterAll(async () => {
  await opened.remove();
});

beforeEach(async () => {
  ({ vault, device } = await addSampleTenant(opened));
  run = await SampleRun.open(vault, device);
});

const refused = (code: string) => expect.objectContaining({ code });

function listSnapshotIds(of: SampleDevice = device): Promise<string[]> {
  return vault
    .listSnapshots(of.caller, { after: 0, limit: 100, setId: undefined, deviceId: undefined })
    .then(({ items }) => items.map(({ snapshotId }) => snapshotId));
}

test('what was committed is listed, comes back byte for byte, and verifies', async () => {
  const blobs = [sampleBlob(device), sampleBlob(device, { sealedLength: 300_000 })];
  const { root, snapshot, result } = await run.backUp(blobs);
  expect(result).toMatchObject({ status: 'committed', snapshotId: snapshot.snapshotId });
  expect(await listSnapshotIds()).toEqual([snapshot.snapshotId]);
  const wanted = [...blobs, root].reverse();
  const read = await readBlobs(
    vault,
    device,
    wanted.map(({ chunkId }) => chunkId),
  );
  expect(read.map(({ status }) => status)).toEqual(['found', 'found', 'found']);
  wanted.forEach(({ bytes }, place) => expect(read[place]?.bytes.equals(bytes)).toBe(true));
  expect(await verifyAll(vault)).toEqual([]);
});

test('a delta against the head makes the next snapshot, and verifies', async () => {
  const blobs = Array.from({ length: 20 }, () => sampleBlob(device));
  const first = await run.backUp(blobs);
  const next = await SampleRun.open(vault, device);
  const added = sampleBlob(device);
  const kept = blobs.slice(5).map(({ chunkId }) => chunkId);
  const root = sampleBlob(device, { type: 'catalog', table: [...kept, added.chunkId] });
  await next.send([added]);
  await next.send([root], 'catalog');
  await next.stage('add', [added.chunkId, root.chunkId]);
  await next.stage('remove', [...blobs.slice(0, 5).map(({ chunkId }) => chunkId), first.root.chunkId]);
  const refs = [...kept, added.chunkId, root.chunkId];
  const snapshot = sampleSnapshot(device, refs, root.chunkId, first.snapshot);
  expect(await next.commit(snapshot, 'delta')).toMatchObject({ status: 'committed' });
  expect(await verifyAll(vault)).toEqual([]);
  // A third one sent whole finds the same difference by itself.
  const third = await SampleRun.open(vault, device);
  expect(await third.backUp(blobs, snapshot)).toMatchObject({ result: { status: 'committed' } });
  expect(await verifyAll(vault)).toEqual([]);
});

test('what a node of the new head still needs is not taken away, whatever the device says', async () => {
  const [kept, left] = [sampleBlob(device), sampleBlob(device)];
  const leaf = sampleBlob(device, { type: 'catalog', table: [kept.chunkId, left.chunkId] });
  const root = sampleBlob(device, { type: 'catalog', table: [leaf.chunkId] });
  await run.send([kept, left]);
  await run.send([leaf, root], 'catalog');
  const refs = [kept, left, leaf, root].map(({ chunkId }) => chunkId);
  await run.stage('add', refs);
  const first = sampleSnapshot(device, refs, root.chunkId);
  expect(await run.commit(first)).toMatchObject({ status: 'committed' });
  const lying = await SampleRun.open(vault, device);
  await lying.stage('remove', [left.chunkId]);
  const poorer = refs.filter((id) => id !== left.chunkId);
  const snapshot = sampleSnapshot(device, poorer, root.chunkId, first);
  await expect(lying.commit(snapshot, 'delta')).rejects.toEqual(refused('refset_mismatch'));
  // With the leaf rewritten it is right, and so is taking away all of the old catalog.
  const honest = await SampleRun.open(vault, device);
  const newLeaf = sampleBlob(device, { type: 'catalog', table: [kept.chunkId] });
  const newRoot = sampleBlob(device, { type: 'catalog', table: [newLeaf.chunkId] });
  await honest.send([newLeaf, newRoot], 'catalog');
  await honest.stage('add', [newLeaf.chunkId, newRoot.chunkId]);
  await honest.stage('remove', [left.chunkId, leaf.chunkId, root.chunkId]);
  const next = [kept, newLeaf, newRoot].map(({ chunkId }) => chunkId);
  expect(await honest.commit(sampleSnapshot(device, next, newRoot.chunkId, first), 'delta')).toMatchObject({
    status: 'committed',
  });
  expect(await verifyAll(vault)).toEqual([]);
});

test('what nothing of the catalog refers to does not belong to a snapshot', async () => {
  const [needed, stray] = [sampleBlob(device), sampleBlob(device)];
  const root = sampleBlob(device, { type: 'catalog', table: [needed.chunkId] });
  await run.send([needed, stray]);
  await run.send([root], 'catalog');
  const refs = [needed, stray, root].map(({ chunkId }) => chunkId);
  await run.stage('add', refs);
  await expect(run.commit(sampleSnapshot(device, refs, root.chunkId))).rejects.toEqual(
    refused('refset_mismatch'),
  );
  const first = await (await SampleRun.open(vault, device)).backUp([needed]);
  // Nor does the old root beside a new one, nor what only the old root referred to.
  for (const removed of [[], [first.root.chunkId]]) {
    const next = await SampleRun.open(vault, device);
    const newRoot = sampleBlob(device, { type: 'catalog' });
    await next.send([newRoot], 'catalog');
    await next.stage('add', [newRoot.chunkId]);
    if (removed.length > 0) await next.stage('remove', removed);
    const kept = [...first.refs.filter((id) => !removed.includes(id)), newRoot.chunkId];
    const snapshot = sampleSnapshot(device, kept, newRoot.chunkId, first.snapshot);
    await expect(next.commit(snapshot, 'delta')).rejects.toEqual(refused('refset_mismatch'));
  }
  expect(await verifyAll(vault)).toEqual([]);
});

test('the same manifest again gets the same answer, also when its session is gone', async () => {
  const { snapshot, result } = await run.backUp([sampleBlob(device)]);
  expect(await run.commit(snapshot)).toEqual(result);
  await vault.closeSession(device.caller, run.sessionId);
  expect(await run.commit(snapshot)).toEqual(result);
  expect(await listSnapshotIds()).toHaveLength(1);
});

test('a session goes on after a commit: a checkpoint, then the whole', async () => {
  const partial = await run.backUp([sampleBlob(device)]);
  const whole = await run.backUp([sampleBlob(device)], partial.snapshot);
  expect(whole.result.status).toBe('committed');
  expect(await listSnapshotIds()).toEqual([partial.snapshot.snapshotId, whole.snapshot.snapshotId]);
});

test('a run that began from an older head is told so', async () => {
  const rival = await SampleRun.open(vault, device);
  await run.backUp([sampleBlob(device)]);
  await expect(rival.backUp([sampleBlob(device)])).rejects.toEqual(refused('head_moved'));
});

test('of two runs that commit at once one is told that the head moved', async () => {
  const rival = await SampleRun.open(vault, device);
  const results = await Promise.allSettled([
    run.backUp([sampleBlob(device)]),
    rival.backUp([sampleBlob(device)]),
  ]);
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: refused('head_moved'),
  });
  expect(await listSnapshotIds()).toHaveLength(1);
  expect(await verifyAll(vault)).toEqual([]);
});

test('the same manifest several times at once makes one snapshot, and all get its answer', async () => {
  const root = sampleBlob(device, { type: 'catalog' });
  await run.send([root], 'catalog');
  await run.stage('add', [root.chunkId]);
  const snapshot = sampleSnapshot(device, [root.chunkId], root.chunkId);
  const answers = await Promise.all(Array.from({ length: 5 }, () => run.commit(snapshot)));
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(answers[0]).toMatchObject({ status: 'committed' });
  expect(await listSnapshotIds()).toHaveLength(1);
  expect(await verifyAll(vault)).toEqual([]);
});

test('parts that are sent anew during a commit never get into its snapshot', async () => {
  const roots = Array.from({ length: 2 }, () => sampleBlob(device, { type: 'catalog' }));
  await run.send(roots, 'catalog');
  const commit = async (root: SampleBlob, after = 0): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, after));
    await vault.stageRefs(device.caller, run.sessionId, {
      part: 0,
      mode: 'add',
      ids: Buffer.from(root.chunkId, 'hex'),
    });
    await run.commit(sampleSnapshot(device, [root.chunkId], root.chunkId));
  };
  // The second one comes while the first checks, publishes or is done.
  const results = await Promise.allSettled([
    commit(roots[0] as SampleBlob),
    ...Array.from({ length: 6 }, (_, place) => commit(roots[1] as SampleBlob, place * 2)),
  ]);
  expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
  expect(await listSnapshotIds()).toHaveLength(1);
  expect(await verifyAll(vault)).toEqual([]);
});

test('what stops being live while a commit is prepared is told as missing, and makes no snapshot', async () => {
  let strike = (): void => undefined;
  const struck = await openSampleVaults({
    crashPoint: (name) => {
      if (name === 'commit-checked') strike();
    },
  });
  try {
    const tenant = await addSampleTenant(struck);
    const blob = sampleBlob(tenant.device);
    strike = () => {
      strike = () => undefined;
      const { database } = new IndexConnection(struck.databaseOf(tenant.vault.tenantId));
      database.exec(`UPDATE chunks SET state = 1 WHERE chunk_id = x'${blob.chunkId}';
        UPDATE vault SET liveness_epoch = liveness_epoch + 1`);
      database.close();
    };
    const { result } = await (await SampleRun.open(tenant.vault, tenant.device)).backUp([blob]);
    expect(result).toEqual({ status: 'missing', total: 1, missing: [blob.chunkId] });
    expect((await tenant.vault.statistics()).snapshots).toBe(0);
  } finally {
    await struck.remove();
  }
});

test('sets of a device have chains of their own', async () => {
  const other = await SampleRun.open(vault, device, newRandomId<SetId>());
  const first = await run.backUp([sampleBlob(device)]);
  const second = await other.backUp([sampleBlob(device)]);
  expect([first.result.status, second.result.status]).toEqual(['committed', 'committed']);
});

test('what is not there is named, and can be sent before trying again', async () => {
  const blobs = [sampleBlob(device), sampleBlob(device)];
  const ids = blobs.map(({ chunkId }) => chunkId);
  const root = sampleBlob(device, { type: 'catalog', table: ids });
  await run.send([root], 'catalog');
  await run.stage('add', [...ids, root.chunkId]);
  const snapshot = sampleSnapshot(device, [...ids, root.chunkId], root.chunkId);
  const result = await run.commit(snapshot);
  expect(result).toMatchObject({ status: 'missing', total: 2 });
  expect(result.status === 'missing' && new Set(result.missing)).toEqual(new Set(ids));
  expect(await listSnapshotIds()).toEqual([]);
  await run.send(blobs);
  expect(await run.commit(snapshot)).toMatchObject({ status: 'committed' });
});

test('a chunk of another device does not make a snapshot whole', async () => {
  const stranger = await addSampleDevice(vault);
  const foreign = sampleBlob(stranger);
  await (await SampleRun.open(vault, stranger)).send([foreign]);
  const root = sampleBlob(device, { type: 'catalog', table: [foreign.chunkId] });
  await run.send([root], 'catalog');
  const refs = [foreign.chunkId, root.chunkId];
  await run.stage('add', refs);
  expect(await run.commit(sampleSnapshot(device, refs, root.chunkId))).toMatchObject({ status: 'missing' });
});

test('a catalog that needs more than the refset lists is refused', async () => {
  const blob = sampleBlob(device);
  const leaf = sampleBlob(device, { type: 'list', table: [blob.chunkId] });
  const root = sampleBlob(device, { type: 'catalog', table: [leaf.chunkId] });
  await run.send([blob]);
  await run.send([leaf, root], 'catalog');
  const refs = [leaf.chunkId, root.chunkId];
  await run.stage('add', refs);
  const snapshot = sampleSnapshot(device, refs, root.chunkId);
  await expect(run.commit(snapshot)).rejects.toEqual(refused('refset_mismatch'));
});

test('a root that is not in the refset, or is content, is refused', async () => {
  const blob = sampleBlob(device);
  const root = sampleBlob(device, { type: 'catalog' });
  await run.send([blob]);
  await run.send([root], 'catalog');
  await run.stage('add', [blob.chunkId]);
  for (const { chunkId } of [blob, root]) {
    const snapshot = sampleSnapshot(device, [blob.chunkId], chunkId);
    await expect(run.commit(snapshot)).rejects.toEqual(refused('refset_mismatch'));
  }
});

test.each<[string, (staged: ChunkId[]) => ChunkId[]]>([
  ['fewer ids', (staged) => staged.slice(1)],
  ['another id', (staged) => [...staged.slice(1), 'ab'.repeat(32) as ChunkId]],
])('a refset with %s than the manifest signs is refused', async (_, change) => {
  const root = sampleBlob(device, { type: 'catalog' });
  const blob = sampleBlob(device);
  await run.send([blob]);
  await run.send([root], 'catalog');
  await run.stage('add', [blob.chunkId, root.chunkId]);
  const snapshot = sampleSnapshot(device, change([blob.chunkId, root.chunkId]), root.chunkId);
  await expect(run.commit(snapshot)).rejects.toEqual(refused('refset_mismatch'));
});

test('ids listed twice, removed without being there, or added though there are refused', async () => {
  const blob = sampleBlob(device);
  const first = await run.backUp([blob]);
  const twice = await SampleRun.open(vault, device);
  const extra = sampleBlob(device);
  await twice.send([extra]);
  await twice.stage('add', [extra.chunkId]);
  await twice.stage('add', [extra.chunkId]);
  const doubled = [...first.refs, extra.chunkId, extra.chunkId];
  const listedTwice = sampleSnapshot(device, doubled, first.root.chunkId, first.snapshot);
  await expect(twice.commit(listedTwice, 'delta')).rejects.toEqual(refused('refset_mismatch'));

  const added = await SampleRun.open(vault, device);
  await added.stage('add', [blob.chunkId]);
  const again = sampleSnapshot(device, [...first.refs, blob.chunkId], first.root.chunkId, first.snapshot);
  await expect(added.commit(again, 'delta')).rejects.toEqual(refused('refset_mismatch'));

  const removed = await SampleRun.open(vault, device);
  await removed.stage('add', [extra.chunkId]);
  await removed.stage('remove', [extra.chunkId]);
  const unchanged = sampleSnapshot(device, first.refs, first.root.chunkId, first.snapshot);
  await expect(removed.commit(unchanged, 'delta')).rejects.toEqual(refused('refset_mismatch'));
  expect(await verifyAll(vault)).toEqual([]);
});

test('a part that is sent again replaces itself', async () => {
  const root = sampleBlob(device, { type: 'catalog' });
  await run.send([root], 'catalog');
  const wrong = { part: 0, mode: 'add' as const, ids: Buffer.alloc(32, 7) };
  await vault.stageRefs(device.caller, run.sessionId, wrong);
  await run.stage('add', [root.chunkId]);
  expect(await run.commit(sampleSnapshot(device, [root.chunkId], root.chunkId))).toMatchObject({
    status: 'committed',
  });
});

test('ids that do not ascend, or are cut, are refused', async () => {
  const descending = Buffer.concat([Buffer.alloc(32, 2), Buffer.alloc(32, 1)]);
  for (const ids of [descending, Buffer.alloc(33), Buffer.alloc(64, 5)]) {
    const staging = vault.stageRefs(device.caller, run.sessionId, { part: 0, mode: 'add', ids });
    await expect(staging).rejects.toEqual(refused('invalid_request'));
  }
});

test('a manifest counts only when the device of the session signed it, for this tenant, set and domain', async () => {
  const root = sampleBlob(device, { type: 'catalog' });
  await run.send([root], 'catalog');
  await run.stage('add', [root.chunkId]);
  const stranger = sampleDevice(vault.tenantId);
  const forged = sampleSnapshot({ ...device, key: stranger.key }, [root.chunkId], root.chunkId);
  await expect(run.commit(forged)).rejects.toEqual(refused('untrusted'));
  for (const change of [
    { tenantId: newRandomId() },
    { deviceId: stranger.deviceId },
    { domainId: stranger.domainId },
    { setId: stranger.setId },
  ]) {
    const other = sampleSnapshot(device, [root.chunkId], root.chunkId, null, change as object);
    await expect(run.commit(other)).rejects.toEqual(refused('invalid_request'));
  }
  const requires = ['cd'.repeat(32) as SnapshotId];
  const needy = sampleSnapshot(device, [root.chunkId], root.chunkId, null, { requires });
  await expect(run.commit(needy)).rejects.toEqual(refused('invalid_request'));
  const altered = Buffer.from(sampleSnapshot(device, [root.chunkId], root.chunkId).object);
  altered[40] = (altered[40] as number) ^ 1;
  await expect(run.commit({ ...forged, object: altered })).rejects.toEqual(refused('untrusted'));
  expect(await listSnapshotIds()).toEqual([]);
});

test('a snapshot without any content but its catalog can be made', async () => {
  expect(await run.backUp([])).toMatchObject({ result: { status: 'committed' } });
});

test('a device lists its own snapshots only, all of them with a grant', async () => {
  const stranger = await addSampleDevice(vault);
  const mine = await run.backUp([sampleBlob(device)]);
  const theirs = await (await SampleRun.open(vault, stranger)).backUp([sampleBlob(stranger)]);
  expect(await listSnapshotIds()).toEqual([mine.snapshot.snapshotId]);
  const query = { after: 0, limit: 100, setId: undefined, deviceId: stranger.deviceId };
  expect(await vault.listSnapshots(device.caller, query)).toEqual({ items: [], next: null });
  const granted = { ...device, caller: { ...device.caller, readsTenant: true } };
  expect(await listSnapshotIds(granted)).toEqual([mine.snapshot.snapshotId, theirs.snapshot.snapshotId]);
});

test('pages of snapshots follow each other', async () => {
  let previous = null;
  const ids: string[] = [];
  for (let count = 0; count < 5; count++) {
    const made: Awaited<ReturnType<SampleRun['backUp']>> = await run.backUp([], previous);
    previous = made.snapshot;
    ids.push(previous.snapshotId);
  }
  const listed: string[] = [];
  let after: number | null = 0;
  while (after !== null) {
    const page: Awaited<ReturnType<Vault['listSnapshots']>> = await vault.listSnapshots(device.caller, {
      after,
      limit: 2,
      setId: device.setId,
      deviceId: undefined,
    });
    expect(page.items.length).toBeLessThanOrEqual(2);
    listed.push(...page.items.map(({ snapshotId }) => snapshotId));
    after = page.next;
  }
  expect(listed).toEqual(ids);
});
