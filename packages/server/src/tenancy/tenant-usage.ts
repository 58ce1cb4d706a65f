import { CofreError } from '@cofre/shared/errors';
import type { TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { UsageDay, UsageQuery } from '@cofre/shared/wire/tenants';
import type { TenantRecord } from '../db/records.ts';
import type { UsageSeen } from '../db/tenant-records.ts';
import { warnedPercent } from './quota-warning.ts';
import { TenantLife, type TenantLifeServices } from './tenant-life.ts';
import { quotaBytes } from './tenants.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What became of a turn of the accounts. */
export interface UsageTurn {
  readonly tenants: number;
  readonly failures: readonly { readonly tenantId: TenantId; readonly problem: string }[];
}

/** The history of use by tenant and day, for bills. */
export class TenantUsage {
  readonly #services: TenantLifeServices;
  readonly #life: TenantLife;

  constructor(services: TenantLifeServices) {
    this.#services = services;
    this.#life = new TenantLife(services);
  }

  /**
   * Looks at every tenant: what is due for it happens, how full its quota is is noted, and what it uses is added to the
   * row of this day. All rows are one write. A tenant that fails keeps the others from nothing.
   */
  async lookAtAll(signal: AbortSignal): Promise<UsageTurn> {
    const { tenants, stores } = this.#services;
    const devices = await stores.tenants.countDevices();
    const seen: UsageSeen[] = [];
    const failures: { tenantId: TenantId; problem: string }[] = [];
    for (const tenant of await tenants.list()) {
      if (signal.aborted) break;
      try {
        seen.push(await this.#lookAt(tenant, devices.get(tenant.id) ?? 0));
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        failures.push({ tenantId: tenant.id, problem });
      }
    }
    await stores.tenantLife.recordUsage(seen);
    return { tenants: seen.length, failures };
  }

  /**
   * @param tenantId null for all
   * @throws CofreError `invalid_request` for days in the wrong order, or more of them than a question may span
   */
  async list(tenantId: TenantId | null, query: UsageQuery): Promise<UsageDay[]> {
    const to = query.to ?? dayOf(this.#services.clock());
    const from = query.from ?? dayOf(Date.parse(to) - (LIMITS.usageDaysDefault - 1) * DAY_MS);
    const days = Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;
    if (days < 1 || days > LIMITS.usageDaysMax) {
      const problem = `from ${from} to ${to} are not 1 to ${LIMITS.usageDaysMax} days`;
      throw new CofreError('invalid_request', { problem });
    }
    const asked = tenantId === null ? (await this.#services.tenants.list()).map(({ id }) => id) : [tenantId];
    const items: UsageDay[] = [];
    // A question for each tenant: each is short on a thread that all wait for.
    for (const id of asked) {
      items.push(...(await this.#services.stores.tenantLife.listUsage({ tenantId: id, from, to })));
    }
    return items;
  }

  async #lookAt(before: TenantRecord, devices: number): Promise<UsageSeen> {
    const { tenants, stores, vaults, clock } = this.#services;
    let problem: Error | null = null;
    // What a vault can't take now is no reason not to count what it holds.
    await this.#life.settle(before).catch((error: unknown) => {
      problem = error instanceof Error ? error : new Error(String(error));
    });
    const { usedBytes } = await (await vaults.open(before.id)).statistics();
    const tenant = await tenants.find(before.id);
    const quota = quotaBytes(tenant);
    const nowMs = clock();
    const seen = { tenantId: tenant.id, day: dayOf(nowMs), usedBytes, quotaBytes: quota, devices };
    await stores.tenantLife.noteWarning(tenant.id, warnedPercent(usedBytes, quota), nowMs);
    if (problem !== null) {
      await stores.tenantLife.recordUsage([seen]);
      throw problem as Error;
    }
    return seen;
  }
}

/** The day of a service time, in UTC. */
function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
