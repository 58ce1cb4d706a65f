import type { CollectionReport } from '@cofre/shared/wire/collection';
import type { TenantRecord } from '../db/records.ts';
import type { Vaults } from '../vault/vault.ts';
import type { ReadingRun } from './administration.ts';
import { NOTHING_COLLECTED } from '../vault/collect/collection-options.ts';
import { addCounts, withVault } from './each-vault.ts';

/** Collects one vault after the other. What fails in one is said at the end, and the others are collected all the same. */
export async function collectVaults(
  vaults: Vaults,
  tenants: readonly TenantRecord[],
  { onProgress, signal }: ReadingRun,
): Promise<CollectionReport> {
  const total = { ...NOTHING_COLLECTED };
  const failures: CollectionReport['failures'] = [];
  for (const tenant of tenants) {
    const failure = await withVault(vaults, tenant, signal, async (vault) => {
      const result = await vault.runCollection({
        signal,
        // Somebody waits for it.
        bytesPerSecond: null,
        onProgress: ({ writtenBytes }) => onProgress(total.writtenBytes + writtenBytes),
      });
      addCounts(total, result);
    });
    if (failure !== null) failures.push(failure);
  }
  return { ...total, tenants: tenants.length, failures };
}
