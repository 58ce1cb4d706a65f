import type { TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { Log } from '../log.ts';
import type { UsageTurn } from '../tenancy/tenant-usage.ts';
import type { Vault, Vaults } from '../vault/vault.ts';
import type { MaintenanceTasks } from './maintenance.ts';

export interface MaintainedAppliance {
  readonly vaults: Vaults;
  listTenantIds(): Promise<TenantId[]>;
  /** Copies the appliance's own database when there is no copy of this day yet; whether it did. */
  copyIfDue(): Promise<boolean>;
  /** Notes what each tenant uses, and does what is due for it; see `TenantUsage`. */
  lookAtUse(signal: AbortSignal): Promise<UsageTurn>;
}

/** What a turn did in one vault; nothing is logged when all of it is zero. */
type Done = Readonly<Record<string, number>>;

/** A scrub's turn begins no further pack after this, in one vault: the next turn goes on. */
const SCRUB_BUDGET_MS = 60_000;

/** The work of the jobs, over all vaults, one after the other. A vault that fails does not keep it from the others. */
export function maintenanceTasks(appliance: MaintainedAppliance, log: Log): MaintenanceTasks {
  const inEachVault =
    (job: string, work: (vault: Vault, signal: AbortSignal) => Promise<Done>) =>
    async (signal: AbortSignal): Promise<void> => {
      for (const tenantId of await appliance.listTenantIds()) {
        if (signal.aborted) return;
        try {
          const done = await work(await appliance.vaults.open(tenantId), signal);
          if (Object.values(done).some((count) => count > 0))
            log.info({ job, tenantId, ...done }, 'maintained');
        } catch (error) {
          if (signal.aborted) return;
          log.error({ job, tenantId, problem: problemOf(error) }, 'maintenance of a vault failed');
        }
      }
    };
  return {
    retention: inEachVault('retention', async (vault) => ({ ...(await vault.retention.runRetention()) })),
    collection: inEachVault('collection', async (vault, signal) => ({
      ...(await vault.runCollection({ signal, bytesPerSecond: LIMITS.repackBytesPerSecond })),
    })),
    scrub: inEachVault('scrub', async (vault, signal) => {
      const result = await vault.runScrub({ signal, budgetMs: SCRUB_BUDGET_MS });
      if (result.damagedChunks > 0 || result.lostObjects > 0) {
        const { tenantId } = vault;
        log.warn({ job: 'scrub', tenantId, ...result }, 'damage was found: see cofre-server damage');
      }
      return numbersOf(result);
    }),
    usage: async (signal) => {
      const { failures } = await appliance.lookAtUse(signal);
      for (const failure of failures)
        log.error({ job: 'usage', ...failure }, 'maintenance of a vault failed');
    },
    copy: async () => {
      if (await appliance.copyIfDue()) log.info({ job: 'copy' }, 'the directory was copied');
    },
  };
}

function numbersOf(result: object): Done {
  return Object.fromEntries(Object.entries(result).filter(([, value]) => typeof value === 'number')) as Done;
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
