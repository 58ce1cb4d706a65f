import { LIMITS } from '@cofre/shared/limits';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { GroupedSet } from '../../../../../test/builders/grouped-set.ts';
import { readIndexRows, type IndexRows } from '../../../../../test/builders/index-rows.ts';
import {
  addSampleTenant,
  openSampleVaults,
  readBlobs,
  verifyAll,
  type OpenedVaults,
} from '../../../../../test/builders/sample-vault.ts';
import type { SampleDevice, SampleSnapshot } from '../../../../../test/builders/vault-samples.ts';
import type { Vault } from '../vault.ts';
import { holdStoppedStore, rebuildVaults } from './rebuild-store.ts';

/** A rebuild of a vault in which snapshots were deleted, and what only they needed was collected. */

const HOUR_MS = 3_600_000;

let opened: OpenedVaults;
let vault: Vault;
let device: SampleDevice;
let set: GroupedSet;
let snapshots: SampleSnapshot[];

beforeEach(async () => {
  opened = await openSampleVaults();
  ({ vault, device } = await addSampleTenant(opened));
  set = new GroupedSet(vault, device);
  snapshots = [];
  for (let count = 0; count < 5; count++) {
    // A leaf goes, two come; so that each snapshot has something of its own.
    await set.backUp([...set.groups.slice(1), set.group(set.content(6)), set.group(set.content(6))]);
    snapshots.push(set.snapshot as SampleSnapshot);
  }
});

afterEach(async () => {
  await opened.remove();
});

/** Deletes snapshots by their place, waits until their content may go, and gives its room back. */
async function deleteAndCollect(places: readonly number[]): Promise<void> {
  opened.passHours(LIMITS.lockDefaultMs / HOUR_MS + 1);
  for (const place of places) {
    await vault.retention.deleteSnapshot((snapshots[place] as SampleSnapshot).snapshotId, false);
  }
  opened.passHours(LIMITS.softDeleteDefaultMs / HOUR_MS + 1);
  await vault.retention.dropExpired();
  const { signal } = new AbortController();
  const collect = () => vault.runCollection({ signal, bytesPerSecond: null, readersGraceMs: 0 });
  await collect();
  opened.passHours(LIMITS.condemnedGraceMs / HOUR_MS + 1);
  expect((await collect()).dropped).toBeGreaterThan(0);
}

async function rebuild(): Promise<{ before: IndexRows; after: IndexRows }> {
  await opened.vaults.close();
  const database = opened.databaseOf(vault.tenantId);
  const before = readIndexRows(database);
  const store = await holdStoppedStore(opened.dataFolder, opened.storeFolder);
  const [rebuilt] = await rebuildVaults(store, {
    tenants: [vault.tenantId],
    readsAll: true,
    onBytes: () => undefined,
  });
  store.release();
  expect(rebuilt?.findings).toEqual([]);
  return { before, after: readIndexRows(database) };
}

/** Which gone snapshots a row covers too means nothing; `needed` says what it does mean. */
function withoutSpans(rows: IndexRows): IndexRows {
  const headRefs = rows.headRefs.map((row) => {
    const [deviceId, setId, chunkId, , parents] = JSON.parse(row) as unknown[];
    return JSON.stringify([deviceId, setId, chunkId, parents]);
  });
  return { ...rows, headRefs, pastRefs: [] };
}

test.each([
  ['in the middle', [1, 2]],
  ['at the beginning', [0]],
  ['at the end', [3, 4]],
] as const)('with snapshots gone %s, it says what the old index said', async (_, places) => {
  await deleteAndCollect(places);
  const { before, after } = await rebuild();
  expect(before.snapshots.filter((row) => !row.includes('null')).length).toBe(places.length);
  expect(withoutSpans(after)).toEqual(withoutSpans(before));
  opened = await opened.reopen();
  const again = await opened.vaults.open(vault.tenantId);
  expect(await verifyAll(again)).toEqual([]);
  const kept = snapshots.filter((__, place) => !(places as readonly number[]).includes(place));
  const roots = kept.map(({ manifest }) => manifest.catalogRoot);
  const read = await readBlobs(again, device, roots);
  expect(new Set(read.map(({ status }) => status))).toEqual(new Set(['found']));
});
