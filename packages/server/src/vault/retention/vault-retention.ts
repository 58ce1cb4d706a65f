import { CofreError } from '@cofre/shared/errors';
import type { DeviceId, SetId, SnapshotId } from '@cofre/shared/ids';
import type { SetCounts } from '../index/retention.store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { RetentionChoice, RetentionTarget } from '../objects/retention-setting.ts';
import type { VaultContext } from '../vault-context.ts';
import { countFreedBytes } from './release-preview.ts';
import {
  DELETE_REASONS,
  type DeleteResult,
  type RetainedItem,
  type Retention,
  type RetentionOverview,
  type RetentionPreview,
  type RetentionRun,
  type RetentionScope,
  type TriedChoice,
} from './retention.ts';
import { planRetention, type RetentionPlan } from './retention-planner.ts';
import { readRetentionChoices, requireKnownSet, writeRetentionChoice } from './retention-settings.ts';
import { SnapshotDropper } from './snapshot-dropper.ts';

/** Snapshots that are marked in one transaction. */
const MARKED_AT_ONCE = 200;
const STEP_SETS = 500;

/** Retention of one vault. Each step passes the gate by itself, so that a server that stops waits for one only. */
export class VaultRetention implements Retention {
  private readonly vault: VaultContext;
  private readonly objects: ObjectStore;
  private readonly dropper: SnapshotDropper;

  constructor(vault: VaultContext, objects: ObjectStore) {
    this.vault = vault;
    this.objects = objects;
    this.dropper = new SnapshotDropper(vault, objects);
  }

  overview(): Promise<RetentionOverview> {
    return this.run(async () => {
      const choices = await readRetentionChoices(this.vault);
      const vault = await this.vault.index.call('describeVault', undefined);
      if (vault === null) throw new CofreError('not_found', { what: 'vault' });
      const sets = (await this.readSets()).map(({ deviceId, setId }) => {
        const target = { deviceId: deviceId as DeviceId, setId: setId as SetId };
        return { ...target, choice: choices.own(target) };
      });
      const { lockMs, softDeleteMs } = vault;
      return { lockMs, softDeleteMs, byDefault: choices.effective(null), sets };
    });
  }

  choose(target: RetentionTarget, choice: RetentionChoice): Promise<void> {
    return this.run(async () => {
      requireKnownSet(target, await this.readSets());
      await writeRetentionChoice(this.vault, this.objects, target, choice);
    });
  }

  preview(scope: RetentionScope, tried?: TriedChoice): Promise<RetentionPreview> {
    return this.run(async () => {
      const plan = await this.plan(tried);
      const items = plan.items.filter((item) => isInScope(item, scope));
      const going = items.filter(({ state, stays }) => state !== 'gone' && !stays);
      const ids = new Set<string>(going.map(({ snapshotId }) => snapshotId));
      return { items, freedBytes: await countFreedBytes(this.vault, plan.rows, ids) };
    });
  }

  async apply(): Promise<{ marked: number }> {
    const going = await this.run(async () => {
      const { items } = await this.plan();
      return items.filter(({ state, stays }) => state === 'kept' && !stays);
    });
    let marked = 0;
    for (let start = 0; start < going.length; start += MARKED_AT_ONCE) {
      const batch = going.slice(start, start + MARKED_AT_ONCE);
      marked += await this.maintain(() => {
        this.vault.requireWritable();
        return this.vault.index.call('markByRule', {
          snapshotIds: batch.map(({ snapshotId }) => snapshotId),
          nowMs: this.vault.nowMs(),
          reason: DELETE_REASONS.rule,
        });
      });
    }
    return { marked };
  }

  async dropExpired(): Promise<{ dropped: number; freedBytes: number }> {
    const total = { dropped: 0, freedBytes: 0 };
    for (;;) {
      const step = await this.maintain(() => this.dropper.dropSome());
      total.dropped += step.dropped;
      total.freedBytes += step.freedBytes;
      if (step.isDone) return total;
    }
  }

  async runRetention(): Promise<RetentionRun> {
    const { marked } = await this.apply();
    return { marked, ...(await this.dropExpired()) };
  }

  deleteSnapshot(snapshotId: SnapshotId, isDryRun: boolean): Promise<DeleteResult> {
    return this.deleteWith(async (nowMs) => {
      const reason = DELETE_REASONS.person;
      await this.vault.index.call('markByPerson', { snapshotId, nowMs, reason, isDryRun });
      return [snapshotId];
    }, isDryRun);
  }

  deleteSet(deviceId: DeviceId, setId: SetId, isDryRun: boolean): Promise<DeleteResult> {
    return this.deleteWith(async (nowMs) => {
      const reason = DELETE_REASONS.set;
      const ids = await this.vault.index.call('markSet', { deviceId, setId, nowMs, reason, isDryRun });
      return ids as SnapshotId[];
    }, isDryRun);
  }

  undelete(snapshotId: SnapshotId): Promise<readonly SnapshotId[]> {
    return this.run(async () => {
      this.vault.requireWritable();
      const back = await this.vault.index.call('bringBack', { snapshotId, nowMs: this.vault.nowMs() });
      return back as SnapshotId[];
    });
  }

  countSets(): Promise<readonly SetCounts[]> {
    return this.run(() => this.readSets());
  }

  private deleteWith(
    mark: (nowMs: number) => Promise<readonly SnapshotId[]>,
    isDryRun: boolean,
  ): Promise<DeleteResult> {
    return this.run(async () => {
      if (!isDryRun) this.vault.requireWritable();
      const nowMs = this.vault.nowMs();
      const snapshotIds = await mark(nowMs);
      const plan = await this.plan();
      const ids = new Set<string>(snapshotIds);
      return {
        snapshotIds,
        contentUntilMs: await this.contentUntil(plan, ids, nowMs, isDryRun),
        freedBytes: await countFreedBytes(this.vault, plan.rows, ids),
      };
    });
  }

  /** When the content of the last one of some snapshots goes. */
  private async contentUntil(
    plan: RetentionPlan,
    ids: ReadonlySet<string>,
    nowMs: number,
    isDryRun: boolean,
  ): Promise<number> {
    const softDeleteMs = (await this.vault.index.call('describeVault', undefined))?.softDeleteMs ?? 0;
    const ends = plan.rows
      .filter(({ snapshotId }) => ids.has(snapshotId))
      .map(({ contentUntilMs, lockedUntilMs }) =>
        Math.max(isDryRun ? nowMs + softDeleteMs : (contentUntilMs ?? 0), lockedUntilMs),
      );
    return Math.max(nowMs, ...ends);
  }

  private async plan(tried?: TriedChoice): Promise<RetentionPlan> {
    const choices = await readRetentionChoices(this.vault);
    if (tried !== undefined) choices.set(tried.target, tried.choice);
    return planRetention(this.vault, choices);
  }

  private async readSets(): Promise<SetCounts[]> {
    const sets: SetCounts[] = [];
    for (let after = 0; ;) {
      const step = await this.vault.index.call('countSets', { after, limit: STEP_SETS });
      for (const { chain: _, ...set } of step) sets.push(set);
      const last = step.at(-1);
      if (last === undefined || step.length < STEP_SETS) return sets;
      after = last.chain;
    }
  }

  private maintain<Result>(step: () => Promise<Result>): Promise<Result> {
    return this.vault.maintenance.run(() => this.run(step));
  }

  private run<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.vault.gate.run(call);
  }
}

function isInScope(item: RetainedItem, { deviceId, setId }: RetentionScope): boolean {
  return (
    (deviceId === undefined || item.deviceId === deviceId) && (setId === undefined || item.setId === setId)
  );
}
