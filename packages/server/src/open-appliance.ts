import { join } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import type { Administration } from './administration/administration.ts';
import { auditedAdministration } from './administration/audited-administration.ts';
import { LocalPeople } from './administration/local-people.ts';
import { LocalAdministration } from './administration/local-administration.ts';
import type { Clock } from './clock.ts';
import { createPeople } from './create-people.ts';
import { ApplianceCopies, copiesFolder, listCopyNames } from './db/appliance-copies.ts';
import { DATABASE_FILE, openApplianceStores, type ApplianceStores } from './db/appliance-stores.ts';
import { isThere } from './platform/is-there.ts';
import { checkPlaces } from './platform/start-checks.ts';
import type { PublicAddress } from './tenancy/public-address.ts';
import { TenantLife } from './tenancy/tenant-life.ts';
import { Tenants } from './tenancy/tenants.ts';
import { openVaults } from './vault/open-vaults.ts';
import { listTenants } from './vault/store-pairing.ts';
import type { Vaults } from './vault/vault.ts';

/** What is kept, and the services on it that need no network. */
export interface Appliance {
  /** What its places can't promise, for the log. */
  readonly doubts: readonly string[];
  readonly vaults: Vaults;
  readonly stores: ApplianceStores;
  readonly tenants: Tenants;
  readonly clock: Clock;
  readonly copies: ApplianceCopies;
  administration(publicAddress: () => PublicAddress): Administration;
  close(): Promise<void>;
}

export interface Folders {
  readonly dataFolder: string;
  readonly storeFolder: string;
  /** A second place for copies of the appliance's own database. */
  readonly copyFolder?: string | null;
}

/**
 * Opens everything that is kept, for this process alone.
 * @param onFatal told when storage has failed so that nothing may be promised after: the process has to end
 * @throws CofreError `busy` while another process has it open, `settings_invalid` when its places can't keep what it
 *   promises, or the list of tenants is lost
 */
export async function openAppliance(
  folders: Folders,
  onFatal: (error: CofreError) => void,
): Promise<Appliance> {
  const doubts = await checkPlaces(folders);
  const vaults = await openVaults({ ...folders, onFatal });
  try {
    await requireDirectory(folders);
    const stores = await openApplianceStores(folders.dataFolder, onFatal);
    const clock = () => vaults.serviceTimeMs();
    const tenants = new Tenants(stores.tenants, vaults, clock);
    await new TenantLife({ tenants, stores, vaults, clock }).settleAll();
    const copyFolders = { first: copiesFolder(folders.storeFolder), second: folders.copyFolder ?? null };
    const copies = new ApplianceCopies(stores.copies, copyFolders, clock);
    return {
      doubts,
      vaults,
      stores,
      tenants,
      clock,
      copies,
      administration: (publicAddress) => {
        const origin = () => publicAddress().address;
        const services = createPeople({ store: stores.people, clock, origin });
        const findTenant = async (reference: string) => (await tenants.find(reference)).id;
        const people = new LocalPeople(services, stores.people, findTenant);
        const local = { tenants, stores, vaults, clock, copies, people, publicAddress };
        return auditedAdministration(new LocalAdministration(local), {
          audit: services.audit,
          tenantIds: async (reference) =>
            reference === null ? (await tenants.list()).map(({ id }) => id) : [await findTenant(reference)],
        });
      },
      close: async () => {
        await stores.close();
        await vaults.close();
      },
    };
  } catch (error) {
    await vaults.close();
    throw error;
  }
}

/** An empty list beside vaults would refuse every computer, and say that there is no tenant. */
async function requireDirectory({ dataFolder, storeFolder }: Folders): Promise<void> {
  if (await isThere(join(dataFolder, DATABASE_FILE))) return;
  if ((await listTenants(storeFolder)).length === 0) return;
  const copy = (await listCopyNames(storeFolder))[0];
  const command = copy === undefined ? 'cofre-server rebuild --all' : `cofre-server copy restore ${copy}`;
  const problem = `${DATABASE_FILE} is gone from ${dataFolder}, and the store has tenants; run: ${command}`;
  throw new CofreError('settings_invalid', { setting: '--data', problem });
}
