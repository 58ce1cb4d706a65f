import { CofreError } from '@cofre/shared/errors';
import type { NewObject } from '../index/objects.store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import {
  decodeRetentionSetting,
  encodeRetentionSetting,
  type RetentionChoice,
  type RetentionTarget,
} from '../objects/retention-setting.ts';
import type { VaultContext } from '../vault-context.ts';

/** The choices of a tenant: by set, and the default for all others. */
export class RetentionChoices {
  private readonly bySet = new Map<string, RetentionChoice>();

  set(target: RetentionTarget, choice: RetentionChoice): void {
    this.bySet.set(nameOf(target), choice);
  }

  /** The choice of its own that a set (or the default) has; `default` without any. */
  own(target: RetentionTarget): RetentionChoice {
    return this.bySet.get(nameOf(target)) ?? { mode: 'default' };
  }

  /** What counts for a set. Where nobody ever chose, everything is kept. */
  effective(target: RetentionTarget): Exclude<RetentionChoice, { mode: 'default' }> {
    for (const choice of [this.own(target), this.own(null)]) if (choice.mode !== 'default') return choice;
    return { mode: 'everything' };
  }
}

function nameOf(target: RetentionTarget): string {
  return target === null ? '' : `${target.deviceId}/${target.setId}`;
}

/** The newest retention settings of a vault. They are objects of the store, so that a rebuild has them. */
export async function readRetentionChoices(vault: VaultContext): Promise<RetentionChoices> {
  const choices = new RetentionChoices();
  for (const bytes of await vault.index.call('listRetentionSettings', undefined)) {
    const { target, choice } = decodeRetentionSetting(bytes);
    choices.set(target, choice);
  }
  return choices;
}

/** Adds a setting to the store, where it counts from then on; one that says nothing new is not written. */
export async function writeRetentionChoice(
  vault: VaultContext,
  objects: ObjectStore,
  target: RetentionTarget,
  choice: RetentionChoice,
): Promise<void> {
  await objects.exclusively(async () => {
    const known = (await readRetentionChoices(vault)).own(target);
    if (JSON.stringify(known) === JSON.stringify(choice)) return;
    const setNs = BigInt(vault.nowMs()) * 1_000_000n;
    const bytes = encodeRetentionSetting({ tenantId: vault.tenantId, setNs, target, choice });
    const key = await vault.index.call('nextRuleKey', undefined);
    await objects.publish([{ kind: 'rule', key, deviceId: null, bytes }], ([object]) =>
      vault.index.call('recordRetentionSetting', {
        object: object as NewObject,
        deviceId: target?.deviceId ?? '',
        setId: target?.setId ?? '',
      }),
    );
  });
}

/** @throws CofreError `not_found` when a target names a set that has no snapshots */
export function requireKnownSet(
  target: RetentionTarget,
  sets: readonly { readonly deviceId: string; readonly setId: string }[],
): void {
  if (target === null) return;
  const isKnown = sets.some((set) => set.deviceId === target.deviceId && set.setId === target.setId);
  if (!isKnown) throw new CofreError('not_found', { what: `set ${target.setId} of that device` });
}
