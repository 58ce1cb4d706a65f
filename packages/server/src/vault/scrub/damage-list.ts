import type { DeviceId, SnapshotId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { DamageItem, VaultDamages } from '@cofre/shared/wire/damage';
import type { DamageRow } from '../index/damages.store.ts';
import type { VaultContext } from '../vault-context.ts';

const STEP_DAMAGES = 100;
/** Snapshots that are named with one damage. */
const SNAPSHOTS_MAX = 20;

/** What was found damaged in a vault: open ones first, then what was healed, each by its age. */
export async function listDamages(vault: VaultContext): Promise<VaultDamages> {
  const counts = await vault.index.call('countDamages', undefined);
  const items: DamageItem[] = [];
  for (const isOpen of [true, false]) {
    for (let after = 0; items.length < LIMITS.damageItemsMax;) {
      const asked = { isOpen, after, limit: STEP_DAMAGES, snapshotsMax: SNAPSHOTS_MAX };
      const rows = await vault.index.call('listDamages', asked);
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.damage;
      items.push(...rows.map((row) => describe(vault, row)));
    }
  }
  return { tenantId: vault.tenantId, ...counts, items: items.slice(0, LIMITS.damageItemsMax) };
}

function describe({ tenantId }: VaultContext, row: DamageRow): DamageItem {
  const isHealed = row.healedMs !== null;
  return {
    tenantId,
    state: isHealed ? 'healed' : row.isMoot === 1 ? 'moot' : 'open',
    what: row.what,
    found: new Date(row.foundMs).toISOString(),
    pack: row.pack,
    chunkId: row.chunkId === null ? null : Buffer.from(row.chunkId).toString('hex'),
    object: row.object,
    healed: row.healedMs === null ? null : new Date(row.healedMs).toISOString(),
    healedByPack: row.healedByPack,
    snapshots: [...row.snapshots] as SnapshotId[],
    devices: [...row.devices] as DeviceId[],
  };
}
