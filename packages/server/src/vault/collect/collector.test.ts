import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import { newRandomId, type ChunkId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  addSampleDevice,
  addSampleTenant,
  openSampleVaults,
  readBlobs,
  SampleRun,
  verifyAll,
  type OpenedVaults,
} from '../../../../../test/builders/sample-vault.ts';
import { storedPackBytes, storedPacks } from '../../../../../test/builders/stored-bytes.ts';
import {
  sampleBlob,
  samplePack,
  sampleSnapshot,
  type SampleBlob,
  type SampleDevice,
} from '../../../../../test/builders/vault-samples.ts';
import type { CollectionOptions, CollectionResult, Vault } from '../vault.ts';

const HOUR_MS = 3_600_000;
const GRACE_HOURS = LIMITS.condemnedGraceMs / HOUR_MS;
const LEASE_HOURS = LIMITS.sessionLeaseMs / HOUR_MS;

let opened: OpenedVaults;
let vault: Vault;
let device: SampleDevice;

beforeEach(async () => {
  opened = await openSampleVaults();
  ({ vault, device } = await addSampleTenant(opened));
});

afterEach(async () => {
  await opened.remove();
});

function collect(options: Partial<CollectionOptions> = {}): Promise<CollectionResult> {
  const { signal } = new AbortController();
  return vault.runCollection({ signal, bytesPerSecond: null, readersGraceMs: 0, ...options });
}

const idsOf = (blobs: readonly SampleBlob[]): ChunkId[] => blobs.map(({ chunkId }) => chunkId);
const blobsOf = (count: number, sealedLength = 1000): SampleBlob[] =>
  Array.from({ length: count }, () => sampleBlob(device, { sealedLength }));

/** Lets leases end and the grace pass; what is condemned then can be dropped. */
function waitOutGrace(): void {
  opened.passHours(GRACE_HOURS + 1);
}

/** Commits what was sent already. */
async function commitSent(run: SampleRun, blobs: readonly SampleBlob[]): Promise<SampleBlob> {
  const root = sampleBlob(run.device, { type: 'catalog', table: idsOf(blobs) });
  await run.send([root], 'catalog');
  const refs = [...idsOf(blobs), root.chunkId];
  await run.stage('add', refs);
  const result = await run.commit(sampleSnapshot(run.device, refs, root.chunkId));
  expect(result).toMatchObject({ status: 'committed' });
  return root;
}

async function expectKept(blobs: readonly SampleBlob[]): Promise<void> {
  const read = await readBlobs(vault, device, idsOf(blobs));
  for (const [place, { status, bytes }] of read.entries()) {
    expect(status).toBe('found');
    expect(bytes.equals((blobs[place] as SampleBlob).bytes)).toBe(true);
  }
}

test('what was sent and never committed is condemned, and dropped with its file when its grace is over', async () => {
  const kept = blobsOf(3);
  const { snapshot } = await (await SampleRun.open(vault, device)).backUp(kept);
  const left = blobsOf(5);
  await (await SampleRun.open(vault, device)).send(left);
  const before = await vault.statistics();
  opened.passHours(LEASE_HOURS * 1.1);
  expect(await collect()).toMatchObject({ condemned: 5, dropped: 0, unlinkedBytes: 0 });
  opened.passHours(GRACE_HOURS - 1);
  expect(await collect()).toMatchObject({ condemned: 0, dropped: 0 });
  opened.passHours(1);
  const freedBytes = left.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const unlinkedBytes = samplePack(left).length;
  expect(await collect()).toMatchObject({ condemned: 0, dropped: 5, freedBytes, unlinkedBytes });
  const after = await vault.statistics();
  expect(before.usedBytes - after.usedBytes).toBe(freedBytes);
  expect(before.chunks - after.chunks).toBe(5);
  expect(await verifyAll(vault)).toEqual([]);
  await expectKept(kept);
  expect(snapshot.manifest.sequence).toBe(1);
});

test('what somebody asked for, or sent again, begins its time anew', async () => {
  const [asked, again, forgotten] = blobsOf(3) as [SampleBlob, SampleBlob, SampleBlob];
  await (await SampleRun.open(vault, device)).send([asked, again, forgotten]);
  opened.passHours(LEASE_HOURS * 1.1);
  expect(await collect()).toMatchObject({ condemned: 3 });
  const run = await SampleRun.open(vault, device);
  expect(await run.have([asked.chunkId])).toEqual([1]);
  expect(await run.send([again])).toMatchObject({ duplicates: 1 });
  waitOutGrace();
  expect(await collect()).toMatchObject({ condemned: 2, dropped: 1 });
  await expectKept([asked, again]);
  expect((await readBlobs(vault, device, [forgotten.chunkId]))[0]?.status).toBe('missing');
});

test('nothing goes that a session may rely on which was open when it was condemned', async () => {
  const blobs = blobsOf(2);
  const run = await SampleRun.open(vault, device);
  await run.send(blobs);
  expect(await collect()).toMatchObject({ condemned: 2, dropped: 0 });
  // Kept alive for most of the time that a session may have.
  const steps = Math.floor((LIMITS.sessionAgeMaxMs * 0.9) / (LIMITS.sessionLeaseMs * 0.9));
  for (let count = 0; count < steps; count++) {
    opened.passHours(LEASE_HOURS * 0.9);
    await vault.renewSession(device.caller, run.sessionId);
  }
  expect(await collect()).toMatchObject({ dropped: 0 });
  await expectKept(blobs);
});

test('an agent that slept through its lease is told what it has to send again, and goes on', async () => {
  const blobs = blobsOf(3);
  const asleep = await SampleRun.open(vault, device);
  await asleep.send(blobs);
  opened.passHours(LEASE_HOURS * 1.1);
  await collect();
  waitOutGrace();
  expect(await collect()).toMatchObject({ dropped: 3 });
  const root = sampleBlob(device, { type: 'catalog', table: idsOf(blobs) });
  await expect(asleep.send([root], 'catalog')).rejects.toMatchObject({ code: 'session_expired' });
  const awake = await SampleRun.open(vault, device);
  await awake.send([root], 'catalog');
  const refs = [...idsOf(blobs), root.chunkId];
  await awake.stage('add', refs);
  const snapshot = sampleSnapshot(device, refs, root.chunkId);
  expect(await awake.commit(snapshot)).toMatchObject({
    status: 'missing',
    total: 3,
    missing: expect.arrayContaining(idsOf(blobs)),
  });
  await awake.send(blobs);
  expect(await awake.commit(snapshot)).toMatchObject({ status: 'committed' });
  await expectKept([...blobs, root]);
  expect(await verifyAll(vault)).toEqual([]);
});

test('what an earlier snapshot needs is not collected', async () => {
  const first = blobsOf(4);
  const { snapshot } = await (await SampleRun.open(vault, device)).backUp(first);
  const second = blobsOf(4);
  await (await SampleRun.open(vault, device)).backUp(second, snapshot);
  waitOutGrace();
  await collect();
  waitOutGrace();
  expect(await collect()).toMatchObject({ condemned: 0, dropped: 0, unlinkedBytes: 0 });
  await expectKept([...first, ...second]);
});

test('half of what each pack holds goes, and at least nine tenths of its bytes come back', async () => {
  const kept: SampleBlob[] = [];
  const run = await SampleRun.open(vault, device);
  for (let count = 0; count < 8; count++) {
    const [stays, goes] = [blobsOf(8, 60_000), blobsOf(8, 60_000)];
    kept.push(...stays);
    // In turns, so that no pack is dead as a whole.
    await run.send(stays.flatMap((blob, place) => [blob, goes[place] as SampleBlob]));
  }
  await commitSent(run, kept);
  const beforeBytes = storedPackBytes(opened.storeFolder, vault.tenantId);
  const usedBefore = (await vault.statistics()).usedBytes;
  opened.passHours(LEASE_HOURS * 1.1);
  await collect();
  waitOutGrace();
  const result = await collect();
  const deletedBytes = usedBefore - (await vault.statistics()).usedBytes;
  const regainedBytes = beforeBytes - storedPackBytes(opened.storeFolder, vault.tenantId);
  const percent = (100 * regainedBytes) / deletedBytes;
  console.log(
    `deleted ${deletedBytes} bytes, regained ${regainedBytes} on the disk: ${percent.toFixed(1)} %`,
  );
  expect(result).toMatchObject({ dropped: 64, freedBytes: deletedBytes, repackedPacks: 8 });
  expect(result.unlinkedBytes - result.writtenBytes).toBe(regainedBytes);
  expect(percent).toBeGreaterThanOrEqual(90);
  await expectKept(kept);
  expect(await verifyAll(vault)).toEqual([]);
  expect(await collect()).toMatchObject({ dropped: 0, repackedPacks: 0, unlinkedBytes: 0 });
});

test('a damaged piece is not copied but put out of service, and healed by who sends it again', async () => {
  const kept = blobsOf(4, 5000);
  const gone = blobsOf(4, 5000);
  const run = await SampleRun.open(vault, device);
  await run.send([...kept, ...gone]);
  await run.backUp(kept);
  const pack = join(opened.storeFolder, vault.tenantId, 'packs/01/1.pack');
  const file = openSync(pack, 'r+');
  writeSync(file, Buffer.alloc(8, 1), 0, 8, PACK_HEADER_BYTES + 3000);
  closeSync(file);
  opened.passHours(LEASE_HOURS * 1.1);
  await collect();
  waitOutGrace();
  // The old pack stays for what is damaged in it, and is not taken up again and again.
  expect(await collect()).toMatchObject({ dropped: 4, quarantined: 1, repackedPacks: 0 });
  expect(await collect()).toMatchObject({ quarantined: 0, repackedPacks: 0, writtenBytes: 0 });
  await expectKept(kept.slice(1));
  const again = await SampleRun.open(vault, device);
  expect(await again.have(idsOf(kept))).toEqual([0, 1, 1, 1]);
  expect(await again.send(kept.slice(0, 1))).toMatchObject({ healed: 1 });
  await expectKept(kept);
  waitOutGrace();
  await collect();
  expect(storedPacks(opened.storeFolder, vault.tenantId).has('packs/01/1.pack')).toBe(false);
  expect(await verifyAll(vault)).toEqual([]);
});

test('what two devices brought is never mixed, and content and catalogs stay apart', async () => {
  const devices = [device, await addSampleDevice(vault)];
  const kept: [SampleDevice, SampleBlob[]][] = [];
  for (const owner of devices) {
    const run = await SampleRun.open(vault, owner);
    const blobs = Array.from({ length: 6 }, () => sampleBlob(owner));
    const nodes = Array.from({ length: 2 }, () => sampleBlob(owner, { type: 'list' }));
    await run.send(blobs);
    await run.send(nodes, 'catalog');
    const needed = [...blobs.slice(3), nodes[0] as SampleBlob];
    kept.push([owner, [...needed, await commitSent(run, needed)]]);
  }
  opened.passHours(LEASE_HOURS * 1.1);
  await collect();
  const before = new Set(storedPacks(opened.storeFolder, vault.tenantId).keys());
  waitOutGrace();
  // Of each device three of content and one node; the catalog roots lie alone and stay.
  expect(await collect()).toMatchObject({ dropped: 8, repackedPacks: 4 });
  const after = [...storedPacks(opened.storeFolder, vault.tenantId).keys()];
  expect(after.filter((path) => !before.has(path))).toHaveLength(4);
  for (const [owner, blobs] of kept) {
    const read = await readBlobs(vault, owner, idsOf(blobs));
    expect(read.map(({ status }) => status)).toEqual(blobs.map(() => 'found'));
  }
  expect(await verifyAll(vault)).toEqual([]);
});

test('a put that is repeated after its pack was written anew is answered truly, and costs no quota', async () => {
  const [kept, gone] = [blobsOf(3), blobsOf(3)];
  const bytes = samplePack([...kept, ...gone]);
  const operationId = newRandomId();
  const first = await SampleRun.open(vault, device);
  const answer = await first.sendBytes(bytes, operationId);
  await first.backUp(kept);
  expect(await first.sendBytes(bytes, operationId)).toEqual(answer);
  opened.passHours(LEASE_HOURS * 1.1);
  await collect();
  waitOutGrace();
  expect(await collect()).toMatchObject({ repackedPacks: 1 });
  const { usedBytes } = await vault.statistics();
  const again = await SampleRun.open(vault, device);
  const repeated = await again.sendBytes(bytes, operationId);
  expect(repeated).toMatchObject({ blobs: 6, duplicates: 3 });
  expect(await again.have(idsOf([...kept, ...gone]))).toEqual([1, 1, 1, 1, 1, 1]);
  const goneBytes = gone.reduce((sum, blob) => sum + blob.bytes.length, 0);
  expect((await vault.statistics()).usedBytes - usedBytes).toBe(goneBytes);
  expect(await verifyAll(vault)).toEqual([]);
});

test('a young pack stays though nothing in it is alive: its put may be repeated', async () => {
  const blobs = blobsOf(2);
  const run = await SampleRun.open(vault, device);
  await run.send(blobs);
  const operationId = newRandomId();
  const second = await run.sendBytes(samplePack(blobs), operationId);
  expect(second).toMatchObject({ duplicates: 2 });
  expect(await collect()).toMatchObject({ unlinkedBytes: 0 });
  expect(await run.sendBytes(samplePack(blobs), operationId)).toEqual(second);
  opened.passHours(LIMITS.sessionAgeMaxMs / HOUR_MS + 1);
  expect(await collect()).toMatchObject({ unlinkedBytes: samplePack(blobs).length });
});

test('a pack whose trailer is altered is written anew, and one that proves nothing is left to a scrub', async () => {
  const run = await SampleRun.open(vault, device);
  const [kept, gone] = [blobsOf(6), blobsOf(6)];
  for (let place = 0; place < 6; place += 2) {
    await run.send([...kept.slice(place, place + 2), ...gone.slice(place, place + 2)]);
  }
  await commitSent(run, kept);
  alter(1, [-60]);
  // Also the blob that the altered entry is of, so that neither says what stood there.
  const blobBytes = (gone[0] as SampleBlob).bytes.length;
  alter(2, [-60, PACK_HEADER_BYTES + 3 * blobBytes + 500]);
  opened.passHours(LEASE_HOURS * 1.1);
  await collect();
  waitOutGrace();
  expect(await collect()).toMatchObject({ dropped: 6, repackedPacks: 2, quarantined: 0 });
  const paths = [...storedPacks(opened.storeFolder, vault.tenantId).keys()];
  expect(paths).toContain('packs/02/2.pack');
  expect(paths).not.toContain('packs/01/1.pack');
  await expectKept([...kept.slice(0, 2), ...kept.slice(4)]);
});

/** Flips a bit at each of these places of a pack; negative ones count from its end. */
function alter(number: number, places: readonly number[]): void {
  const pack = join(opened.storeFolder, vault.tenantId, `packs/0${number}/${number}.pack`);
  const bytes = readFileSync(pack);
  for (const place of places) {
    const at = place < 0 ? bytes.length + place : place;
    bytes.writeUInt8((bytes[at] as number) ^ 1, at);
  }
  writeFileSync(pack, bytes);
}

test('a collection that is stopped has done whole steps only, and the next goes on from there', async () => {
  const run = await SampleRun.open(vault, device);
  const [kept, gone] = [blobsOf(8, 60_000), blobsOf(8, 60_000)];
  await run.send([...kept, ...gone]);
  await run.backUp(kept);
  opened.passHours(LEASE_HOURS * 1.1);
  await collect();
  waitOutGrace();
  const stop = new AbortController();
  const onProgress = ({ dropped }: CollectionResult): void => {
    if (dropped > 0) setTimeout(() => stop.abort(), 30);
  };
  // So slow that it is stopped while it copies.
  const stopped = collect({ signal: stop.signal, bytesPerSecond: 100_000, onProgress });
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
  expect(await verifyAll(vault)).toEqual([]);
  await expectKept(kept);
  expect(await collect()).toMatchObject({ dropped: 0, repackedPacks: 1 });
  expect(await verifyAll(vault)).toEqual([]);
  await expectKept(kept);
});
