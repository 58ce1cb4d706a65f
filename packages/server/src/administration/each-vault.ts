import { CofreError } from '@cofre/shared/errors';
import type { VerifyFinding, VerifyResult } from '@cofre/shared/wire/administration';
import type { ScrubReport, VaultDamagesList } from '@cofre/shared/wire/damage';
import type { TenantRecord } from '../db/records.ts';
import { NOTHING_SCRUBBED } from '../vault/scrub/scrub-run.ts';
import type { Vault, Vaults } from '../vault/vault.ts';
import type { AskedScrub, ReadingRun } from './administration.ts';

/**
 * Reads everything that some tenants keep. A vault that can't be opened, or whose index is too damaged to go on, is a
 * finding of its own: what the others have is read all the same.
 */
export async function verifyVaults(
  vaults: Vaults,
  tenants: readonly Pick<TenantRecord, 'id'>[],
  { onProgress, signal }: ReadingRun,
): Promise<VerifyResult> {
  const total = { tenants: 0, packs: 0, bytes: 0, snapshots: 0 };
  const findings: VerifyFinding[] = [];
  const onRead = (bytes: number) => {
    // A vault without damage says nothing else for hours.
    signal.throwIfAborted();
    onProgress((total.bytes += bytes));
  };
  for (const tenant of tenants) {
    total.tenants += 1;
    const failure = await withVault(vaults, tenant, signal, async (vault) => {
      for await (const finding of vault.verify(onRead)) findings.push(finding);
      const { packs, snapshots } = await vault.statistics();
      total.packs += packs;
      total.snapshots += snapshots;
    });
    if (failure === null) continue;
    const { problem } = failure;
    findings.push({
      tenantId: tenant.id,
      affectedSnapshots: [],
      code: 'vault_unreadable',
      detail: problem,
    });
  }
  return { ...total, findings };
}

/** Scrubs one vault after the other. What fails in one is said at the end, and the others are read all the same. */
export async function scrubVaults(
  vaults: Vaults,
  tenants: readonly Pick<TenantRecord, 'id'>[],
  { onProgress, signal, isDueOnly }: AskedScrub,
): Promise<ScrubReport> {
  const total = { ...NOTHING_SCRUBBED };
  const failures: ScrubReport['failures'] = [];
  let readBytes = 0;
  let isComplete = true;
  for (const tenant of tenants) {
    const failure = await withVault(vaults, tenant, signal, async (vault) => {
      const result = await vault.runScrub({
        signal,
        // Somebody waits for it.
        bytesPerSecond: null,
        everything: !isDueOnly,
        onProgress: (bytes) => onProgress((readBytes += bytes)),
      });
      addCounts(total, result);
      isComplete &&= result.isComplete;
    });
    if (failure !== null) failures.push(failure);
  }
  return { ...total, isComplete, tenants: tenants.length, failures };
}

/** What was found damaged in some vaults. */
export async function listAllDamages(
  vaults: Vaults,
  tenants: readonly Pick<TenantRecord, 'id'>[],
): Promise<VaultDamagesList> {
  const list: VaultDamagesList = { items: [], failures: [] };
  const { signal } = new AbortController();
  for (const tenant of tenants) {
    const failure = await withVault(vaults, tenant, signal, async (vault) => {
      list.items.push(await vault.listDamages());
    });
    if (failure !== null) list.failures.push(failure);
  }
  return list;
}

/** Adds what one vault counted to a total, in place. */
export function addCounts<Name extends string>(
  total: Record<Name, number>,
  counts: Readonly<Record<NoInfer<Name>, number>>,
): void {
  for (const name of Object.keys(total) as Name[]) total[name] += counts[name];
}

/**
 * Does something with the vault of a tenant. What concerns this vault alone is given back; what concerns all of them
 * (the storage failed, the run was stopped) is thrown.
 */
export async function withVault(
  vaults: Vaults,
  tenant: Pick<TenantRecord, 'id'>,
  signal: AbortSignal,
  work: (vault: Vault) => Promise<void>,
): Promise<{ tenantId: TenantRecord['id']; problem: string } | null> {
  try {
    signal.throwIfAborted();
    await work(await vaults.open(tenant.id));
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CofreError && error.code === 'storage_failed') throw error;
    return { tenantId: tenant.id, problem: problemOf(error) };
  }
}

/** A damaged index may answer with rows that nothing is prepared for: that is this vault's problem too. */
function problemOf(error: unknown): string {
  if (!(error instanceof CofreError)) return error instanceof Error ? error.message : String(error);
  const { message, hint } = error.describe('en');
  return `${message} ${hint}`;
}
