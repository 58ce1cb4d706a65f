import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ChunkId, SnapshotId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { Vault } from '@cofre/server/vault/vault';
import type { VerifyFinding } from '@cofre/shared/wire/administration';
import type { SnapshotItem } from '@cofre/shared/wire/snapshots';
import { expect } from 'vitest';
import { readBlobs, verifyAll } from '../../builders/sample-vault.ts';
import type { SampleDevice } from '../../builders/vault-samples.ts';
import type { Acknowledged, TenantModel } from './model.ts';

/** What `verify` calls a piece that is altered on disk; it names the piece. */
const OF_PIECES: ReadonlySet<string> = new Set(['chunk_quarantined', 'chunk_unreadable']);
/** What follows from it for snapshots that need the piece. */
const OF_SNAPSHOTS: ReadonlySet<string> = new Set(['snapshot_incomplete']);
const OF_OBJECTS: ReadonlySet<string> = new Set(['object_damaged']);

/** I1 to I6 of one tenant. @param reads which snapshots are read byte for byte */
export async function expectInvariants(
  tenant: TenantModel,
  nowMs: number,
  reads: (snapshots: readonly Acknowledged[]) => readonly Acknowledged[],
): Promise<void> {
  const vault = await tenant.vault();
  await expectStates(tenant, vault, nowMs);
  const altered = await expectBytes(tenant, vault, reads(tenant.keptSnapshots()));
  await expectVerified(tenant, vault, altered);
  const { usedBytes } = await vault.statistics();
  expect(usedBytes, 'I4: used').toBeLessThanOrEqual(tenant.quotaBytes);
}

/** Whatever a process left half done, the next one has cleared away before it gives the vault out. */
export async function expectSwept(tenant: TenantModel, storeFolder: string): Promise<void> {
  await tenant.vault();
  expect(readdirSync(join(storeFolder, tenant.tenantId, 'incoming')), 'what was arriving').toEqual([]);
}

/** I1, I3, I5: what is listed is what was acknowledged, and its state has a reason. */
async function expectStates(tenant: TenantModel, vault: Vault, nowMs: number): Promise<void> {
  const items = new Map<string, SnapshotItem>();
  for (const device of tenant.devices) {
    for (const item of await listAll(vault, device)) items.set(item.snapshotId, item);
  }
  for (const id of items.keys()) {
    const isKnown = tenant.snapshots.has(id as SnapshotId) || tenant.unanswered.has(id as SnapshotId);
    expect(isKnown, `snapshot ${id} was committed`).toBe(true);
  }
  for (const snapshot of tenant.snapshots.values()) {
    const item = items.get(snapshot.snapshotId);
    if (item === undefined) throw new Error(`I1: snapshot ${snapshot.snapshotId} is not listed`);
    expectState(snapshot, item, nowMs);
  }
  for (const { state, requires, snapshotId } of tenant.snapshots.values()) {
    if (state !== 'kept') continue;
    const states = requires.map((id) => tenant.snapshots.get(id)?.state);
    expect(states, `what ${snapshotId} requires`).not.toContain('gone');
  }
}

function expectState(snapshot: Acknowledged, item: SnapshotItem, nowMs: number): void {
  const what = `snapshot ${snapshot.snapshotId} (was ${snapshot.state}, is ${item.state})`;
  const lockedUntilMs = Date.parse(item.lockedUntil);
  expect(lockedUntilMs, `I5: the lock of ${what}`).toBeGreaterThanOrEqual(snapshot.lockedUntilMs);
  if (snapshot.state === 'gone') {
    expect(item.state, `I1: ${what}`).toBe('gone');
  }
  if (snapshot.state === 'kept') {
    expect(item.state, `I5: ${what}`).not.toBe('gone');
    if (!snapshot.mayBeDeleted) {
      expect(item.state, `I1: ${what}`).toBe('kept');
    }
  }
  if (item.state === 'gone') {
    expect(lockedUntilMs, `I5: ${what} inside its lock`).toBeLessThanOrEqual(nowMs);
    if (snapshot.state === 'deleted') {
      expect(snapshot.contentUntilMs, `I5: ${what} before its time`).toBeLessThanOrEqual(nowMs);
    }
  }
  if (item.state !== 'kept' && snapshot.state === 'kept') {
    expect(lockedUntilMs, `I5: ${what} inside its lock`).toBeLessThanOrEqual(nowMs);
  }
  snapshot.state = item.state;
  snapshot.lockedUntilMs = lockedUntilMs;
  snapshot.contentUntilMs = item.contentUntil === null ? null : Date.parse(item.contentUntil);
  snapshot.mayBeDeleted = false;
}

async function listAll(vault: Vault, { caller }: SampleDevice): Promise<SnapshotItem[]> {
  const items: SnapshotItem[] = [];
  for (let after: number | null = 0; after !== null;) {
    const query = { after, limit: LIMITS.pageItemsMax, setId: undefined, deviceId: undefined };
    const page = await vault.listSnapshots(caller, query);
    items.push(...page.items);
    after = page.next;
  }
  return items;
}

/** I1: byte for byte, but for what is known to be altered on disk. @returns pieces that are */
async function expectBytes(
  tenant: TenantModel,
  vault: Vault,
  snapshots: readonly Acknowledged[],
): Promise<ChunkId[]> {
  const altered: ChunkId[] = [];
  for (const device of tenant.devices) {
    const mine = snapshots.filter((snapshot) => snapshot.device.deviceId === device.deviceId);
    const wanted = [...new Set<ChunkId>(mine.flatMap(({ refs }) => refs))];
    for (const { chunkId, status, bytes } of await readBlobs(vault, device, wanted)) {
      const isWhole = status === 'found' && tenant.isSealing(chunkId, bytes);
      if (isWhole) continue;
      expect(tenant.rotten.has(chunkId), `I1: piece ${chunkId} is ${status} and altered`).toBe(true);
      altered.push(chunkId);
    }
  }
  return altered;
}

/** I2, I6: nothing is wrong, or exactly what is known to be altered; what a snapshot lacks is named. */
async function expectVerified(tenant: TenantModel, vault: Vault, altered: readonly ChunkId[]): Promise<void> {
  const findings = (await verifyAll(vault)).filter(({ isWarning }) => isWarning !== true);
  const unexplained = findings.filter((finding) => !isExplained(tenant, finding));
  expect(unexplained, 'I6: findings that nothing explains').toEqual([]);
  const ofPieces = findings.filter(({ code }) => OF_PIECES.has(code));
  const unnamed = altered.filter((id) => !ofPieces.some(({ detail }) => detail.includes(id)));
  expect(unnamed, 'I6: altered pieces that are not named').toEqual([]);
}

function isExplained(tenant: TenantModel, { code, detail }: VerifyFinding): boolean {
  if (OF_OBJECTS.has(code)) return tenant.rottenObjects;
  const rotten = [...tenant.rotten];
  if (OF_PIECES.has(code)) return rotten.some((chunkId) => detail.includes(chunkId));
  if (!OF_SNAPSHOTS.has(code)) return false;
  return tenant.keptSnapshots().some(({ refs }) => refs.some((id) => tenant.rotten.has(id)));
}
