import type { CollectionReport } from '@cofre/shared/wire/collection';
import type { TenantRecord } from '../db/records.ts';
import type { Vaults } from '../vault/vault.ts';
import type { ReadingRun } from './administration.ts';
import { withVault } from './each-vault.ts';

/** Collects one vault after the other. What fails in one is said at the end, and the others are collected all the same. */
export async function collectVaults(
  vaults: Vaults,
  tenants: readonly TenantRecord[],
  { onProgress, signal }: ReadingRun,
): Promise<CollectionReport> {
  const total = {
    condemned: 0,
    dropped: 0,
    freedBytes: 0,
    repackedPacks: 0,
    writtenBytes: 0,
    quarantined: 0,
    unlinkedBytes: 0,
  };
  const failures: CollectionReport['failures'] = [];
  for (const tenant of tenants) {
    const failure = await withVault(vaults, tenant, signal, async (vault) => {
      const result = await vault.runCollection({
        signal,
        // Somebody waits for it.
        bytesPerSecond: null,
        onProgress: ({ writtenBytes }) => onProgress(total.writtenBytes + writtenBytes),
      });
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += result[name];
    });
    if (failure !== null) failures.push(failure);
  }
  return { ...total, tenants: tenants.length, failures };
}
