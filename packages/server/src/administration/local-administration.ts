import type {
  AdministeredDevice,
  InviteResponse,
  TenantItem,
  VaultStatistics,
  VerifyResult,
} from '@cofre/shared/wire/administration';
import type { ApplianceCopy } from '@cofre/shared/wire/appliance-copies';
import type { CollectionReport } from '@cofre/shared/wire/collection';
import type { ScrubReport, VaultDamagesList } from '@cofre/shared/wire/damage';
import type { DeviceId, SetId, TenantId } from '@cofre/shared/ids';
import type { Clock } from '../clock.ts';
import type { ApplianceCopies } from '../db/appliance-copies.ts';
import type { ApplianceStores } from '../db/appliance-stores.ts';
import type { DeviceRecord, TenantRecord } from '../db/records.ts';
import { findDevice } from '../tenancy/devices.ts';
import { invite } from '../tenancy/invitations.ts';
import type { PublicAddress } from '../tenancy/public-address.ts';
import { quotaBytes, type NewTenant, type Tenants } from '../tenancy/tenants.ts';
import type { Vault, Vaults } from '../vault/vault.ts';
import type { Administration, AskedScrub, ReadingRun } from './administration.ts';
import { LocalRetention } from './local-retention.ts';
import { LocalTenants } from './local-tenants.ts';
import type { PeopleAdministration } from './people-administration.ts';
import type { RetentionAdministration } from './retention-administration.ts';
import type { TenantAdministration } from './tenant-administration.ts';
import { tenantItemOf } from './tenant-item.ts';
import { collectVaults } from './collect-vaults.ts';
import { listAllDamages, scrubVaults, verifyVaults } from './each-vault.ts';

export interface LocalServices {
  readonly tenants: Tenants;
  readonly stores: ApplianceStores;
  readonly vaults: Vaults;
  readonly clock: Clock;
  readonly copies: ApplianceCopies;
  readonly people: PeopleAdministration;
  /** @throws CofreError `settings_invalid` */
  readonly publicAddress: () => PublicAddress;
}

/** Administers with the services of this very process. */
export class LocalAdministration implements Administration {
  readonly #services: LocalServices;
  readonly retention: RetentionAdministration;
  readonly tenants: TenantAdministration;
  readonly people: PeopleAdministration;

  constructor(services: LocalServices) {
    this.#services = services;
    this.people = services.people;
    const { vaults, tenants, stores } = services;
    this.tenants = new LocalTenants(services);
    this.retention = new LocalRetention({
      vaults,
      findTenant: async (reference) => (await tenants.find(reference)).id,
      listDevices: (tenantId) => stores.ofTenant(tenantId).listDevices(),
    });
  }

  async createTenant(tenant: NewTenant): Promise<TenantItem> {
    return await this.#item(await this.#services.tenants.create(tenant), new Map());
  }

  async listTenants(): Promise<TenantItem[]> {
    const devices = await this.#services.stores.tenants.countDevices();
    const items: TenantItem[] = [];
    for (const tenant of await this.#services.tenants.list()) items.push(await this.#item(tenant, devices));
    return items;
  }

  async invite(reference: string): Promise<InviteResponse> {
    const { tenants, stores, publicAddress, clock } = this.#services;
    const tenant = await tenants.find(reference);
    return await invite(stores.ofTenant(tenant.id), publicAddress(), clock);
  }

  async listDevices(reference: string): Promise<AdministeredDevice[]> {
    const tenant = await this.#services.tenants.find(reference);
    const devices = await this.#services.stores.ofTenant(tenant.id).listDevices();
    return devices.map(deviceFrom);
  }

  async revokeDevice(reference: string, deviceReference: string): Promise<AdministeredDevice> {
    const { tenants, stores, clock } = this.#services;
    const scope = stores.ofTenant((await tenants.find(reference)).id);
    const device = await findDevice(scope, deviceReference);
    const revokedMs = clock();
    await scope.revokeDevice(device.id, revokedMs);
    return deviceFrom({ ...device, revokedMs });
  }

  async statistics(reference: string | null): Promise<VaultStatistics[]> {
    const devices = await this.#services.stores.tenants.countDevices();
    const items: VaultStatistics[] = [];
    for (const tenant of await this.#chosen(reference)) {
      const vault = await this.#services.vaults.open(tenant.id);
      items.push({
        ...(await vault.statistics()),
        sets: await this.#sets(tenant.id, vault),
        name: tenant.name,
        quotaBytes: quotaBytes(tenant),
        devices: devices.get(tenant.id) ?? 0,
      });
    }
    return items;
  }

  copyDirectory(): Promise<ApplianceCopy> {
    return this.#services.copies.copyNow();
  }

  listCopies(): Promise<ApplianceCopy[]> {
    return this.#services.copies.list();
  }

  async verify(reference: string | null, run: ReadingRun): Promise<VerifyResult> {
    return await verifyVaults(this.#services.vaults, await this.#chosen(reference), run);
  }

  async scrub(reference: string | null, run: AskedScrub): Promise<ScrubReport> {
    return await scrubVaults(this.#services.vaults, await this.#chosen(reference), run);
  }

  async collect(reference: string | null, run: ReadingRun): Promise<CollectionReport> {
    return await collectVaults(this.#services.vaults, await this.#chosen(reference), run);
  }

  async listDamages(reference: string | null): Promise<VaultDamagesList> {
    return await listAllDamages(this.#services.vaults, await this.#chosen(reference));
  }

  async #chosen(reference: string | null): Promise<TenantRecord[]> {
    const { tenants } = this.#services;
    return reference === null ? await tenants.list() : [await tenants.find(reference)];
  }

  async #sets(tenantId: TenantId, vault: Vault): Promise<VaultStatistics['sets']> {
    const devices = await this.#services.stores.ofTenant(tenantId).listDevices();
    const names = new Map<string, string>(devices.map(({ id, name }) => [id, name]));
    return (await vault.retention.countSets()).map((set) => ({
      ...set,
      deviceId: set.deviceId as DeviceId,
      setId: set.setId as SetId,
      deviceName: names.get(set.deviceId) ?? '',
    }));
  }

  async #item(tenant: TenantRecord, devices: ReadonlyMap<string, number>): Promise<TenantItem> {
    const vault = await this.#services.vaults.open(tenant.id);
    const { usedBytes, snapshots } = await vault.statistics();
    const counts = { usedBytes, snapshots, devices: devices.get(tenant.id) ?? 0 };
    return tenantItemOf(tenant, counts, this.#services.clock());
  }
}

function deviceFrom(device: DeviceRecord): AdministeredDevice {
  return {
    deviceId: device.id,
    name: device.name,
    platform: device.platform,
    agentVersion: device.agentVersion,
    enrolled: new Date(device.createdMs).toISOString(),
    lastSeen: instantOrNull(device.lastSeenMs),
    revoked: instantOrNull(device.revokedMs),
  };
}

function instantOrNull(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}
