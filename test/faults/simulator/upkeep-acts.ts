import { join } from 'node:path';
import { CofreError, type ErrorCode } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import { expect } from 'vitest';
import type { SeededRandom } from '../../builders/seeded-random.ts';
import type { RetentionChoice } from '@cofre/server/vault/objects/retention-setting';
import { parseRetentionRule } from '@cofre/server/policy/retention-rule';
import type { SimulatedAgent } from './agent.ts';
import type { Acknowledged, TenantModel } from './model.ts';
import { rotOneBlob, rotOneObject } from './rot.ts';

const DAY_MS = 24 * 3_600_000;
/** What somebody is told who must not, or cannot, delete or bring back. */
const NOT_DELETED: readonly ErrorCode[] = [
  'not_found',
  'locked',
  'snapshot_gone',
  'snapshot_required',
  'last_complete',
];

export async function collect(tenant: TenantModel): Promise<string> {
  const vault = await tenant.vault();
  const { signal } = new AbortController();
  const { condemned, dropped, repackedPacks } = await vault.runCollection({
    signal,
    bytesPerSecond: null,
    readersGraceMs: 0,
  });
  return `collects: ${condemned} condemned, ${dropped} dropped, ${repackedPacks} packs written anew`;
}

export async function runRules(tenant: TenantModel): Promise<string> {
  const spared = tenant.newestComplete().filter(({ mayBeDeleted }) => !mayBeDeleted);
  noteDeletions([...tenant.snapshots.values()].filter((snapshot) => !spared.includes(snapshot)));
  const vault = await tenant.vault();
  const { marked, dropped } = await vault.retention.runRetention();
  return `runs its rules: ${marked} deleted, ${dropped} gone`;
}

export async function chooseRule(tenant: TenantModel, random: SeededRandom): Promise<string> {
  const vault = await tenant.vault();
  const rule = parseRetentionRule(
    random.pick([{ keepLast: 1 }, { keepLast: 3 }, { keepDays: 10 }, { daily: 2, weekly: 1 }]),
  );
  const choice: RetentionChoice = random.chance(0.3)
    ? { mode: 'everything' }
    : { mode: 'rule', rule, timeZone: random.pick(['UTC', 'America/Santiago']) };
  await vault.retention.choose(null, choice);
  return `keeps by another rule (${choice.mode})`;
}

export async function deleteOne(tenant: TenantModel, random: SeededRandom): Promise<string> {
  const snapshot = pickSnapshot(tenant, random);
  if (snapshot === null) return 'has nothing to delete';
  noteDeletions([snapshot]);
  return refusable('deletes a snapshot', async () => {
    const vault = await tenant.vault();
    await vault.retention.deleteSnapshot(snapshot.snapshotId, false);
  });
}

export async function deleteSet(tenant: TenantModel, random: SeededRandom): Promise<string> {
  const snapshot = pickSnapshot(tenant, random);
  if (snapshot === null) return 'has no set to delete';
  const { setId, device } = snapshot;
  noteDeletions([...tenant.snapshots.values()].filter((other) => other.setId === setId));
  return refusable('deletes a set', async () => {
    const vault = await tenant.vault();
    await vault.retention.deleteSet(device.deviceId, setId, false);
  });
}

export async function undelete(tenant: TenantModel, random: SeededRandom): Promise<string> {
  const snapshot = pickSnapshot(tenant, random, 'deleted');
  if (snapshot === null) return 'has nothing to bring back';
  return refusable('brings a snapshot back', async () => {
    const vault = await tenant.vault();
    const back = await vault.retention.undelete(snapshot.snapshotId);
    expect(back).toContain(snapshot.snapshotId);
  });
}

/** A longer lock counts for what is there; a shorter one is refused. */
export async function changeLock(
  random: SeededRandom,
  setLock: (lockMs: number) => Promise<unknown>,
): Promise<string> {
  const wantedMs = random.pick([DAY_MS, 8 * DAY_MS, 9 * DAY_MS]);
  if (wantedMs >= LIMITS.lockDefaultMs) {
    const outcome = await setLock(wantedMs).then(
      () => 'set',
      (error: unknown) => codeOf(error, ['lock_not_shortened']),
    );
    return `sets a lock of ${wantedMs / DAY_MS} days (${outcome})`;
  }
  await expect(setLock(wantedMs)).rejects.toMatchObject({ code: 'lock_not_shortened' });
  return 'may not shorten its lock';
}

export function rot(tenant: TenantModel, storeFolder: string, random: SeededRandom): string {
  const folder = join(storeFolder, tenant.tenantId);
  if (random.chance(0.3)) {
    if (!rotOneObject(folder, random)) return 'has no object that could rot';
    tenant.rottenObjects = true;
    return 'has an object with a flipped bit';
  }
  const chunkId = rotOneBlob(folder, random);
  if (chunkId === null) return 'has no pack that could rot';
  tenant.rotten.add(chunkId);
  return `has a flipped bit in piece ${chunkId.slice(0, 8)}`;
}

export async function scrub(tenant: TenantModel): Promise<string> {
  const vault = await tenant.vault();
  const { damagedChunks, rewrittenObjects, lostObjects, isComplete } = await vault.runScrub({
    signal: new AbortController().signal,
    bytesPerSecond: null,
    everything: true,
  });
  expect([lostObjects, isComplete]).toEqual([0, true]);
  return `is scrubbed: ${damagedChunks} pieces damaged, ${rewrittenObjects} objects written anew`;
}

/**
 * Everything is read, and every agent sends again what is lost: after it nothing that a snapshot needs is damaged. What
 * nothing needs may stay damaged until it is collected.
 */
export async function scrubAndHeal(tenant: TenantModel, agents: readonly SimulatedAgent[]): Promise<string> {
  const scrubbed = await scrub(tenant);
  tenant.rottenObjects = false;
  let healed = 0;
  try {
    for (const agent of agents) healed += await agent.heal();
  } catch (error) {
    return `${scrubbed}, and not healed (${codeOf(error, ['over_quota', 'storage_full'])})`;
  }
  for (const { refs } of tenant.keptSnapshots()) for (const id of refs) tenant.rotten.delete(id);
  return `${scrubbed}, ${healed} healed`;
}

function pickSnapshot(
  tenant: TenantModel,
  random: SeededRandom,
  state?: Acknowledged['state'],
): Acknowledged | null {
  const all = [...tenant.snapshots.values()].filter((one) => state === undefined || one.state === state);
  return all.length === 0 ? null : random.pick(all);
}

function noteDeletions(snapshots: readonly Acknowledged[]): void {
  for (const snapshot of snapshots) snapshot.mayBeDeleted = true;
}

async function refusable(what: string, act: () => Promise<void>): Promise<string> {
  try {
    await act();
    return what;
  } catch (error) {
    return `${what}: ${codeOf(error, NOT_DELETED)}`;
  }
}

function codeOf(error: unknown, allowed: readonly ErrorCode[]): string {
  if (error instanceof CofreError && allowed.includes(error.code)) return error.code;
  throw error;
}
