import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newRandomId, type SetId, type SnapshotId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { signingKeyFromSeed } from '@cofre/shared/signature';
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
  sampleRoster,
  sampleSnapshot,
  type SampleBlob,
  type SampleDevice,
  type SampleSnapshot,
} from '../../../../../test/builders/vault-samples.ts';
import { parseRetentionRule, type RetentionRule } from '../../policy/retention-rule.ts';
import type { Vault } from '../vault.ts';

let opened: OpenedVaults;
let vault: Vault;
let device: SampleDevice;

beforeEach(async () => {
  opened = await openSampleVaults();
  ({ vault, device } = await addSampleTenant(opened));
  const authority = signingKeyFromSeed(Buffer.alloc(32, 7));
  const roster = sampleRoster(authority, vault.tenantId, [device]);
  await vault.putTrust(authority.publicKey.toString('hex'), roster);
});

afterEach(async () => {
  await opened.remove();
});

const DAY_HOURS = 24;
const LOCK_HOURS = LIMITS.lockDefaultMs / 3_600_000;
const UNDO_HOURS = LIMITS.softDeleteDefaultMs / 3_600_000;
const refused = (code: string) => expect.objectContaining({ code });

interface Version {
  readonly snapshot: SampleSnapshot;
  /** All that it needs. */
  readonly blobs: readonly SampleBlob[];
  /** Its own root, and the one blob that it brought. */
  readonly root: SampleBlob;
  readonly own: SampleBlob;
}

/**
 * The next snapshot of a set: a piece that all of them share, one that the version before has too, and one of its own.
 */
async function backUpNext(versions: Version[], of = device, change: object = {}): Promise<Version> {
  const before = versions.at(-1);
  const run = await SampleRun.open(vault, of);
  const own = sampleBlob(of);
  const kept = before === undefined ? [sampleBlob(of)] : [before.blobs[0] as SampleBlob, before.own];
  const content = [...kept, own];
  const root = sampleBlob(of, { type: 'catalog', table: content.map(({ chunkId }) => chunkId) });
  await run.send(before === undefined ? content : [own]);
  await run.send([root], 'catalog');
  const blobs = [...content, root];
  const refs = blobs.map(({ chunkId }) => chunkId);
  await run.stage('add', refs);
  const snapshot = sampleSnapshot(of, refs, root.chunkId, before?.snapshot ?? null, change);
  expect(await run.commit(snapshot)).toMatchObject({ status: 'committed' });
  await vault.closeSession(of.caller, run.sessionId);
  const version = { snapshot, blobs, root, own };
  versions.push(version);
  return version;
}

async function backUpDays(days: number, of = device): Promise<Version[]> {
  const versions: Version[] = [];
  for (let day = 0; day < days; day++) {
    await backUpNext(versions, of);
    opened.passHours(DAY_HOURS);
  }
  return versions;
}

async function setRule(rule: Partial<RetentionRule>): Promise<void> {
  await vault.retention.choose(null, { mode: 'rule', rule: parseRetentionRule(rule), timeZone: 'UTC' });
}

async function states(of = device): Promise<string[]> {
  const query = { after: 0, limit: 500, setId: of.setId, deviceId: undefined };
  return (await vault.listSnapshots(of.caller, query)).items.map(({ state }) => state);
}

/** Every blob of these versions is there, byte for byte. */
async function expectReadable(versions: readonly Version[], of = device): Promise<void> {
  for (const { blobs } of versions) {
    const read = await readBlobs(
      vault,
      of,
      blobs.map(({ chunkId }) => chunkId),
    );
    expect(read.map(({ bytes }) => bytes.equals(Buffer.alloc(0)))).not.toContain(true);
    read.forEach(({ status, bytes }, place) => {
      expect([status, bytes.equals((blobs[place] as SampleBlob).bytes)]).toEqual(['found', true]);
    });
  }
}

function lengthOf(...blobs: SampleBlob[]): number {
  return blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

const idOf = ({ snapshot }: Version): SnapshotId => snapshot.snapshotId;

describe('a rule', () => {
  test('lets go of nothing until there is one, and of nothing that is locked', async () => {
    const versions = await backUpDays(3);
    expect(await vault.retention.runRetention()).toEqual({ marked: 0, dropped: 0, freedBytes: 0 });
    await setRule({ keepLast: 1 });
    expect(await vault.retention.runRetention()).toEqual({ marked: 0, dropped: 0, freedBytes: 0 });
    await expectReadable(versions);
  });

  test('marks, can be undone, and lets content go when its time is over', async () => {
    const versions = await backUpDays(10);
    await setRule({ keepLast: 2 });
    // The first four are as old as the lock; the others stay until theirs is over.
    expect(await vault.retention.apply()).toEqual({ marked: 4 });
    expect(await vault.retention.apply()).toEqual({ marked: 0 });
    expect(await states()).toEqual([...Array<string>(4).fill('deleted'), ...Array<string>(6).fill('kept')]);
    await expectReadable(versions);

    expect(await vault.retention.undelete(idOf(versions[1] as Version))).toEqual([
      idOf(versions[1] as Version),
    ]);
    expect(await vault.retention.undelete(idOf(versions[1] as Version))).toEqual([]);
    expect((await vault.retention.runRetention()).dropped).toBe(0);
    expect((await states()).slice(0, 4)).toEqual(['deleted', 'kept', 'deleted', 'deleted']);

    opened.passHours(UNDO_HOURS);
    const run = await vault.retention.runRetention();
    expect(run).toMatchObject({ marked: 4, dropped: 3 });
    expect((await states()).slice(0, 5)).toEqual(['gone', 'kept', 'gone', 'gone', 'deleted']);
    // A piece of its own is needed by the next version too: that of the third one only by what went.
    const [first, , third, fourth] = versions as [Version, Version, Version, Version];
    expect(run.freedBytes).toBe(lengthOf(first.root, third.root, third.own, fourth.root));
    expect(await verifyAll(vault)).toEqual([]);
    await expectReadable([versions[1] as Version, ...versions.slice(4)]);
    await expect(vault.retention.undelete(idOf(versions[0] as Version))).rejects.toEqual(
      refused('snapshot_gone'),
    );
  });

  test('of a set counts instead of the default, and survives a restart as an object of the store', async () => {
    await backUpDays(4);
    opened.passHours(LOCK_HOURS);
    await setRule({ keepLast: 1 });
    const target = { deviceId: device.deviceId, setId: device.setId };
    await vault.retention.choose(target, { mode: 'everything' });
    await vault.retention.choose(target, { mode: 'everything' });
    expect(await vault.retention.apply()).toEqual({ marked: 0 });
    expect(await verifyAll(vault)).toEqual([]);
    await vault.retention.choose(target, { mode: 'default' });
    expect((await vault.retention.overview()).sets).toEqual([{ ...target, choice: { mode: 'default' } }]);
    expect(await vault.retention.apply()).toEqual({ marked: 3 });
    const unknown = { deviceId: device.deviceId, setId: newRandomId<SetId>() };
    await expect(vault.retention.choose(unknown, { mode: 'everything' })).rejects.toEqual(
      refused('not_found'),
    );
  });

  test('a thief who adds thousands within an hour evicts nothing that was there', async () => {
    const versions = await backUpDays(8);
    await setRule({ keepLast: 8, daily: 8 });
    opened.passHours(LOCK_HOURS);
    await backUpNext(versions);
    const before = (await vault.retention.preview({})).items.filter(({ stays }) => stays);
    for (let count = 0; count < 12; count++) await backUpNext(versions);
    opened.passHours(LOCK_HOURS);
    await vault.retention.apply();
    const after = (await vault.retention.preview({})).items.filter(({ state }) => state === 'kept');
    expect(after.map(({ snapshotId }) => snapshotId)).toEqual(
      expect.arrayContaining(before.map(({ snapshotId }) => snapshotId)),
    );
  });

  test('does not take what another snapshot requires', async () => {
    const versions = await backUpDays(2);
    const requires = [idOf(versions[1] as Version)];
    await backUpNext(versions, device, { requires });
    await setRule({ changedAndDeletedDays: 1 });
    opened.passHours(LOCK_HOURS);
    const { items } = await vault.retention.preview({});
    expect(items.map(({ reasons }) => reasons.map(({ code }) => code))).toEqual([
      ['not_kept'],
      ['required'],
      ['changed_and_deleted', 'newest', 'last_complete'],
    ]);
    const [required] = requires as [SnapshotId];
    await expect(vault.retention.deleteSnapshot(required, false)).rejects.toEqual(
      refused('snapshot_required'),
    );
  });

  test('what a living session holds is dropped after the session', async () => {
    const versions = await backUpDays(1);
    opened.passHours(LOCK_HOURS);
    const run = await SampleRun.open(vault, device);
    await vault.retention.deleteSet(device.deviceId, device.setId, false);
    // A lease is short: time passes in small steps, each of which renews it.
    for (let hour = 0; hour < 23 * 7; hour++) {
      opened.passHours(1 / 7);
      await vault.renewSession(device.caller, run.sessionId);
    }
    await opened.vaults.setPeriods(vault.tenantId, { softDeleteMs: LIMITS.softDeleteMinMs });
    expect(await vault.retention.dropExpired()).toEqual({ dropped: 0, freedBytes: 0 });
    expect(versions).toHaveLength(1);
    opened.passHours(UNDO_HOURS);
    expect(await vault.retention.dropExpired()).toMatchObject({ dropped: 1 });
    expect(await verifyAll(vault)).toEqual([]);
  });
});

describe('a person', () => {
  test('deletes what is not locked, not the last complete one, and brings it back', async () => {
    const versions = await backUpDays(2);
    const [first, second] = versions.map(idOf) as [SnapshotId, SnapshotId];
    await expect(vault.retention.deleteSnapshot(first, false)).rejects.toEqual(refused('locked'));
    opened.passHours(LOCK_HOURS);
    const { contentUntilMs, freedBytes } = await vault.retention.deleteSnapshot(first, true);
    expect(await states()).toEqual(['kept', 'kept']);
    expect(contentUntilMs).toBeGreaterThan(opened.vaults.serviceTimeMs());
    expect(freedBytes).toBe((versions[0] as Version).root.bytes.length);
    await vault.retention.deleteSnapshot(first, false);
    await vault.retention.deleteSnapshot(first, false);
    expect(await states()).toEqual(['deleted', 'kept']);
    await expect(vault.retention.deleteSnapshot(second, false)).rejects.toEqual(refused('last_complete'));
    await vault.retention.undelete(first);
    expect(await states()).toEqual(['kept', 'kept']);
    const unknown = 'ab'.repeat(32) as SnapshotId;
    await expect(vault.retention.deleteSnapshot(unknown, false)).rejects.toEqual(refused('not_found'));
  });

  test('who deletes the newest one leaves the older ones whole, and the next one is sent whole', async () => {
    const versions = await backUpDays(3);
    opened.passHours(LOCK_HOURS);
    await vault.retention.deleteSnapshot(idOf(versions[2] as Version), false);
    opened.passHours(UNDO_HOURS);
    const { freedBytes } = await vault.retention.dropExpired();
    const { own, root } = versions[2] as Version;
    expect(freedBytes).toBe(own.bytes.length + root.bytes.length);
    expect(await verifyAll(vault)).toEqual([]);
    await expectReadable(versions.slice(0, 2));
    await backUpNext(versions);
    expect(await states()).toEqual(['kept', 'kept', 'gone', 'kept']);
    expect(await verifyAll(vault)).toEqual([]);
    await expectReadable([...versions.slice(0, 2), versions[3] as Version]);
  });

  test('gives a whole set up, after its last lock, and can begin again without a fork', async () => {
    const versions = await backUpDays(3);
    const { deviceId, setId } = device;
    await expect(vault.retention.deleteSet(deviceId, setId, false)).rejects.toEqual(refused('locked'));
    opened.passHours(LOCK_HOURS);
    const { snapshotIds } = await vault.retention.deleteSet(deviceId, setId, false);
    expect(new Set(snapshotIds)).toEqual(new Set(versions.map(idOf)));
    opened.passHours(UNDO_HOURS);
    const bytes = new Map(versions.flatMap(({ blobs }) => blobs).map((blob) => [blob.chunkId, blob.bytes]));
    const total = [...bytes.values()].reduce((sum, { length }) => sum + length, 0);
    expect(await vault.retention.dropExpired()).toEqual({ dropped: 3, freedBytes: total });
    expect(await vault.retention.countSets()).toEqual([
      { deviceId, setId, headBytes: 0, pastBytes: 0, snapshots: 0 },
    ]);
    expect(await verifyAll(vault)).toEqual([]);
    await backUpNext(versions);
    expect(await verifyAll(vault)).toEqual([]);
    await expectReadable([versions[3] as Version]);
  });

  test('what two sets share goes with the last of them', async () => {
    const versions = await backUpDays(2);
    const twin = { ...device, setId: newRandomId<SetId>() };
    const run = await SampleRun.open(vault, device, twin.setId);
    const [, second] = versions as [Version, Version];
    const refs = second.blobs.map(({ chunkId }) => chunkId);
    await run.stage('add', refs);
    await run.commit(sampleSnapshot(twin, refs, second.root.chunkId));
    opened.passHours(LOCK_HOURS);
    const { deviceId, setId } = device;
    const { freedBytes } = await vault.retention.deleteSet(deviceId, setId, true);
    expect(freedBytes).toBe((versions[0] as Version).root.bytes.length);
    await vault.retention.deleteSet(deviceId, setId, false);
    const both = await vault.retention.deleteSet(deviceId, twin.setId, false);
    expect(both.freedBytes).toBe(0);
    const all = await vault.retention.preview({});
    opened.passHours(UNDO_HOURS);
    const dropped = await vault.retention.dropExpired();
    expect(dropped).toMatchObject({ dropped: 3, freedBytes: all.freedBytes });
    expect(await verifyAll(vault)).toEqual([]);
  });
});

describe('a preview', () => {
  test('says what goes, when, why, and what that frees, and changes nothing', async () => {
    const versions = await backUpDays(9);
    const rule = parseRetentionRule({ keepLast: 3 });
    const tried = { target: null, choice: { mode: 'rule' as const, rule, timeZone: 'UTC' } };
    const { items, freedBytes } = await vault.retention.preview({}, tried);
    expect(items.map(({ stays }) => stays)).toEqual([
      ...Array<boolean>(3).fill(false),
      ...Array<boolean>(6).fill(true),
    ]);
    expect(items[0]?.reasons).toEqual([{ code: 'not_kept', untilMs: null }]);
    expect(items[3]?.reasons.map(({ code }) => code)).toEqual(['locked']);
    expect(items[3]?.untilMs).toBe(items[3]?.lockedUntilMs);
    const [first, second, third] = versions as [Version, Version, Version];
    expect(freedBytes).toBe(lengthOf(first.root, first.own, second.root, second.own, third.root));
    expect(await states()).not.toContain('deleted');
    // And so it comes.
    await setRule({ keepLast: 3 });
    await vault.retention.apply();
    opened.passHours(UNDO_HOURS);
    expect(await vault.retention.dropExpired()).toEqual({ dropped: 3, freedBytes });
  });
});

describe('a lock', () => {
  test('can be made longer, for what is there too, and never shorter', async () => {
    const versions = await backUpDays(2);
    const { tenantId } = vault;
    const lockMs = 30 * DAY_HOURS * 3_600_000;
    expect(await opened.vaults.setPeriods(tenantId, { lockMs })).toMatchObject({ lockMs });
    await expect(opened.vaults.setPeriods(tenantId, { lockMs: lockMs - 1 })).rejects.toEqual(
      refused('lock_not_shortened'),
    );
    await expect(opened.vaults.setPeriods(tenantId, { lockMs: LIMITS.lockMaxMs + 1 })).rejects.toEqual(
      refused('invalid_request'),
    );
    await opened.vaults.setQuota(tenantId, 12_345_678);
    expect(await vault.retention.overview()).toMatchObject({ lockMs });
    opened.passHours(LOCK_HOURS);
    await setRule({ keepLast: 1 });
    const first = idOf(versions[0] as Version);
    await expect(vault.retention.deleteSnapshot(first, false)).rejects.toEqual(refused('locked'));
    expect(await vault.retention.apply()).toEqual({ marked: 0 });
    opened.passHours(30 * DAY_HOURS - LOCK_HOURS);
    expect(await vault.retention.apply()).toEqual({ marked: 1 });
  });

  test('that is made longer holds what was deleted before', async () => {
    await backUpDays(2);
    opened.passHours(LOCK_HOURS);
    await setRule({ keepLast: 1 });
    expect(await vault.retention.apply()).toEqual({ marked: 1 });
    await opened.vaults.setPeriods(vault.tenantId, { lockMs: 100 * DAY_HOURS * 3_600_000 });
    opened.passHours(UNDO_HOURS);
    expect(await vault.retention.dropExpired()).toMatchObject({ dropped: 0 });
    opened.passHours(100 * DAY_HOURS);
    expect(await vault.retention.dropExpired()).toMatchObject({ dropped: 1 });
  });

  test.each([400, -400])('is not ended by a wall clock that is %i days wrong', async (days) => {
    const versions = await backUpDays(2);
    const { tenantId } = vault;
    await setRule({ keepLast: 1 });
    const aheadMs = (2 + days) * DAY_HOURS * 3_600_000;
    const clockSources = { wallMs: () => Date.now() + aheadMs, monotonicMs: () => performance.now() };
    opened = await opened.reopen({ clockSources });
    vault = await opened.vaults.open(tenantId);
    expect(await vault.retention.runRetention()).toEqual({ marked: 0, dropped: 0, freedBytes: 0 });
    const first = idOf(versions[0] as Version);
    await expect(vault.retention.deleteSnapshot(first, false)).rejects.toEqual(refused('locked'));
    await expectReadable(versions);
  });
});
