import { randomBytes } from 'node:crypto';
import { CofreError, type ErrorCode } from '@cofre/shared/errors';
import { CHUNK_ID_BYTES, newRandomId, type ChunkId, type SetId } from '@cofre/shared/ids';
import type { SnapshotItem } from '@cofre/shared/wire/snapshots';
import { expect } from 'vitest';
import { readBlobs, SampleRun } from '../../builders/sample-vault.ts';
import type { SeededRandom } from '../../builders/seeded-random.ts';
import {
  sampleBlob,
  samplePack,
  sampleSnapshot,
  type SampleBlob,
  type SampleDevice,
} from '../../builders/vault-samples.ts';
import type { TenantModel } from './model.ts';

/** What is no answer to hostility but may come first. */
const BESIDES: readonly ErrorCode[] = ['over_quota', 'storage_full'];

/** Does what no honest agent does, in sets of its own; the vault has to refuse all of it. */
export async function actHostilely(
  tenant: TenantModel,
  others: readonly TenantModel[],
  random: SeededRandom,
): Promise<string> {
  const device = random.pick(tenant.devices);
  const acts = [
    () => replayManifest(tenant, random),
    () => commitUnknownChunks(tenant, device),
    () => removeWhatIsNeeded(tenant, device),
    () => sendAlteredPack(tenant, device, random),
    () => useSessionOfAnother(tenant),
    () => readOtherTenant(tenant, others, random),
  ];
  const first = random.below(acts.length);
  const done: string[] = [];
  try {
    for (const act of [...acts.slice(first), ...acts.slice(0, first)]) done.push(await act());
  } catch (error) {
    if (!(error instanceof CofreError) || !BESIDES.includes(error.code)) throw error;
    done.push(`no room (${error.code})`);
  }
  return `is attacked: ${done.join('; ')}`;
}

async function openRun(tenant: TenantModel, device: SampleDevice): Promise<SampleRun> {
  return SampleRun.open(await tenant.vault(), device, newRandomId<SetId>());
}

async function close(run: SampleRun): Promise<void> {
  await run.vault.closeSession(run.device.caller, run.sessionId);
}

/** What of a listed snapshot never changes. */
function identityOf({ snapshotId, number, received, manifest }: SnapshotItem) {
  return { snapshotId, number, received, manifest };
}

/** An old manifest comes again: the answer is that of the first time, or none; the head stays. */
async function replayManifest(tenant: TenantModel, random: SeededRandom): Promise<string> {
  const vault = await tenant.vault();
  const snapshots = [...tenant.snapshots.values()];
  if (snapshots.length === 0) return 'nothing to replay yet';
  const { device, setId, snapshotId } = random.pick(snapshots);
  const query = { after: 0, limit: 500, setId, deviceId: undefined };
  const before = await vault.listSnapshots(device.caller, query);
  const item = before.items.find((one) => one.snapshotId === snapshotId);
  const run = await SampleRun.open(vault, device, setId);
  const object = Buffer.from(item?.manifest ?? '', 'base64');
  const result = await vault.commit(device.caller, run.sessionId, object, 'full');
  expect(result).toMatchObject({ status: 'committed', snapshotId, number: item?.number });
  await close(run);
  // Beside it rules may delete, locks may grow, and the agent itself may add; but what there was is there, once.
  const after = await vault.listSnapshots(device.caller, query);
  const known = new Set(before.items.map((one) => one.snapshotId));
  const stillKnown = after.items.filter((one) => known.has(one.snapshotId));
  expect(stillKnown.map(identityOf)).toEqual(before.items.map(identityOf));
  return 'an old manifest, replayed';
}

async function commitUnknownChunks(tenant: TenantModel, device: SampleDevice): Promise<string> {
  const run = await openRun(tenant, device);
  const unknown = randomBytes(CHUNK_ID_BYTES).toString('hex') as ChunkId;
  const root = sampleBlob(device, { type: 'catalog', table: [unknown] });
  await run.send([tenant.remember(root)], 'catalog');
  const refs = [unknown, root.chunkId];
  await run.stage('add', refs);
  const result = await run.commit(sampleSnapshot(run.device, refs, root.chunkId));
  expect(result).toMatchObject({ status: 'missing', missing: [unknown] });
  await close(run);
  return 'a catalog of pieces that are not there';
}

/** Takes a piece out of the refset that its catalog needs: the walk of the tables must not agree. */
async function removeWhatIsNeeded(tenant: TenantModel, device: SampleDevice): Promise<string> {
  const run = await openRun(tenant, device);
  const blobs = [sampleBlob(device, { sealedLength: 50 }), sampleBlob(device, { sealedLength: 50 })];
  const [first, second] = blobs as [SampleBlob, SampleBlob];
  for (const blob of blobs) tenant.remember(blob);
  await run.send(blobs);
  const root = tenant.remember(
    sampleBlob(device, { type: 'catalog', table: [first.chunkId, second.chunkId] }),
  );
  await run.send([root], 'catalog');
  const refs = [first.chunkId, root.chunkId];
  await run.stage('add', refs);
  await expect(run.commit(sampleSnapshot(run.device, refs, root.chunkId))).rejects.toMatchObject({
    code: 'refset_mismatch',
  });
  await close(run);
  return 'a refset without a piece that its catalog needs';
}

async function sendAlteredPack(
  tenant: TenantModel,
  device: SampleDevice,
  random: SeededRandom,
): Promise<string> {
  const run = await openRun(tenant, device);
  const pack = samplePack([sampleBlob(device)]);
  const offset = random.below(pack.length);
  pack[offset] = (pack[offset] ?? 0) ^ (1 << random.below(8));
  const refused = await run.sendBytes(pack).then(
    () => null,
    (error: unknown) => error,
  );
  expect(refused, `a pack with a flipped bit at ${offset}`).toBeInstanceOf(CofreError);
  if (refused instanceof CofreError && (BESIDES.includes(refused.code) || refused.code === 'storage_failed'))
    throw refused;
  await close(run);
  return 'a pack with a flipped bit';
}

async function useSessionOfAnother(tenant: TenantModel): Promise<string> {
  const [victim, thief] = tenant.devices as [SampleDevice, SampleDevice];
  const run = await openRun(tenant, victim);
  const pool = Buffer.from(tenant.poolOf(victim).join(''), 'hex');
  await expect(run.vault.have(thief.caller, run.sessionId, pool)).rejects.toMatchObject({
    code: 'not_found',
  });
  await close(run);
  return 'the session of another device';
}

async function readOtherTenant(
  tenant: TenantModel,
  others: readonly TenantModel[],
  random: SeededRandom,
): Promise<string> {
  const vault = await tenant.vault();
  const other = random.pick(others.filter((one) => one !== tenant));
  const [own] = tenant.devices as [SampleDevice];
  const theirs = random.pick(other.devices);
  const ids = other.poolOf(theirs);
  await expect(
    readBlobs(vault, { caller: own.caller, domainId: theirs.domainId }, ids),
  ).rejects.toMatchObject({ code: 'not_found' });
  const found = await readBlobs(vault, own, ids);
  expect(new Set(found.map(({ status }) => status))).toEqual(new Set(['missing']));
  return 'the pieces of another tenant';
}
