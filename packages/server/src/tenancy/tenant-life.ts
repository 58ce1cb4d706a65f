import { CofreError } from '@cofre/shared/errors';
import type { TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { ModulesRequest } from '@cofre/shared/wire/tenants';
import type { Clock } from '../clock.ts';
import type { ApplianceStores } from '../db/appliance-stores.ts';
import type { TenantRecord } from '../db/records.ts';
import { displayBytes } from '../vault/quota.ts';
import type { Vaults } from '../vault/vault.ts';
import { newManagementCode } from './management-code.ts';
import { quotaBytes, type Tenants } from './tenants.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface TenantLifeServices {
  readonly tenants: Tenants;
  readonly stores: ApplianceStores;
  readonly vaults: Vaults;
  readonly clock: Clock;
}

/**
 * What the provider changes about a tenant. Name, quota and deletion are said by the directory and by the store:
 *
 *     directory, marked as not described → store → mark taken away
 *
 * The directory decides. Whatever a crash, a full disk or a frozen vault leaves marked is said to the store at the next
 * start or within the hour ({@link settle}). Only where the directory was put back from a copy, or an index was made
 * anew, the store's word counts (`reconcile-directory.ts`).
 */
export class TenantLife {
  readonly #services: TenantLifeServices;

  constructor(services: TenantLifeServices) {
    this.#services = services;
  }

  /** @throws CofreError `already_exists` */
  async rename({ id }: TenantRecord, name: string): Promise<void> {
    await this.#services.stores.tenantLife.renameTenant(id, name);
    await this.#describe(id);
  }

  /** Reads and restores go on; nothing new is taken. Doing it again changes nothing. */
  async suspend({ id }: TenantRecord): Promise<void> {
    await this.#services.stores.tenantLife.suspendTenant(id, this.#services.clock());
  }

  async resume({ id }: TenantRecord): Promise<void> {
    await this.#services.stores.tenantLife.suspendTenant(id, null);
  }

  /**
   * Another quota, and an end of what was announced before. With days of grace a lower one is announced: until then the
   * old one is in force, from then on the lower, whatever is used.
   * @throws CofreError `quota_below_use`; `invalid_request` for a grace before a quota that is not lower
   */
  async setModules(tenant: TenantRecord, { modules, graceDays }: ModulesRequest): Promise<void> {
    const { vaults, stores, clock } = this.#services;
    if (graceDays !== undefined) {
      if (modules >= tenant.modules) {
        throw new CofreError('invalid_request', { problem: 'a grace is for a lower quota' });
      }
      const later = { laterModules: modules, laterMs: clock() + graceDays * DAY_MS };
      await stores.tenantLife.setTenantQuota(tenant.id, { modules: tenant.modules, ...later });
    } else {
      const { usedBytes } = await (await vaults.open(tenant.id)).statistics();
      if (modules < tenant.modules) requireUseWithin(usedBytes, modules);
      await stores.tenantLife.setTenantQuota(tenant.id, { modules, laterModules: null, laterMs: null });
    }
    await this.#describe(tenant.id);
  }

  /** A code that no tenant has; the one before it is forgotten. */
  async renewCode({ id }: TenantRecord): Promise<void> {
    while (!(await this.#services.stores.tenantLife.setManagementCode(id, newManagementCode())));
  }

  /**
   * From some days on the tenant may be deleted, and not before the last lock of its snapshots ends. Until then nothing
   * new is taken.
   * @throws CofreError `deletion_scheduled` when it was asked for before
   */
  async scheduleDeletion({ id, deletionDueMs }: TenantRecord, days: number): Promise<void> {
    const { vaults, stores, clock } = this.#services;
    if (deletionDueMs !== null) {
      throw new CofreError('deletion_scheduled', { due: new Date(deletionDueMs).toISOString() });
    }
    const askedMs = clock();
    const lockedUntilMs = await (await vaults.open(id)).lockedUntilMs();
    const dueMs = Math.max(askedMs + days * DAY_MS, lockedUntilMs);
    await stores.tenantLife.setTenantDeletion(id, { askedMs, dueMs });
    await this.#describe(id);
  }

  /** Takes a deletion back. Whether the tenant is suspended is as it was. */
  async keep({ id }: TenantRecord): Promise<void> {
    await this.#services.stores.tenantLife.setTenantDeletion(id, null);
    await this.#describe(id);
  }

  /**
   * What is due for a tenant: an announced quota comes into force, the store says what the directory does, and there
   * is a code. It can be repeated.
   */
  async settle(tenant: TenantRecord): Promise<void> {
    const { stores, clock } = this.#services;
    const hasLower = await stores.tenantLife.applyLaterQuota(tenant.id, clock());
    if (hasLower || !tenant.isDescribed) await this.#describe(tenant.id);
    if (tenant.managementCode === null) await this.renewCode(tenant);
  }

  /** What is due for all tenants. What one of them can't have now is tried again within the hour. */
  async settleAll(): Promise<void> {
    for (const tenant of await this.#services.tenants.list()) {
      try {
        await this.settle(tenant);
      } catch (error) {
        if (!(error instanceof CofreError) || error.code === 'storage_failed') throw error;
      }
    }
  }

  /** One after the other, so that the store ends with what the directory says last. */
  async #describe(id: TenantId): Promise<void> {
    const { tenants, stores, vaults } = this.#services;
    await tenants.describing.run(async () => {
      const tenant = await tenants.find(id);
      const { name, modules, deletionDueMs } = tenant;
      await vaults.describeTenant(id, { name, quotaBytes: quotaBytes(tenant), deletionDueMs });
      await stores.tenantLife.noteDescribed(id, { name, modules, deletionDueMs });
    });
  }
}

function requireUseWithin(usedBytes: number, modules: number): void {
  const quota = quotaBytes({ modules });
  if (usedBytes <= quota) return;
  throw new CofreError('quota_below_use', {
    used: displayBytes(usedBytes),
    quota: displayBytes(quota),
    modules: Math.ceil(usedBytes / LIMITS.quotaModuleBytes),
  });
}
