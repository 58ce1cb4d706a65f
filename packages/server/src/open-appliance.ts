import type { CofreError } from '@cofre/shared/errors';
import { LocalAdministration } from './administration/local-administration.ts';
import type { Clock } from './clock.ts';
import { ApplianceCopies, copiesFolder } from './db/appliance-copies.ts';
import { openApplianceStores, type ApplianceStores } from './db/appliance-stores.ts';
import type { PublicAddress } from './tenancy/public-address.ts';
import { Tenants } from './tenancy/tenants.ts';
import { openVaults } from './vault/open-vaults.ts';
import type { Vaults } from './vault/vault.ts';

/** What is kept, and the services on it that need no network. */
export interface Appliance {
  readonly vaults: Vaults;
  readonly stores: ApplianceStores;
  readonly tenants: Tenants;
  readonly clock: Clock;
  readonly copies: ApplianceCopies;
  administration(publicAddress: () => PublicAddress): LocalAdministration;
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
 * @throws CofreError `busy` while another process has it open
 */
export async function openAppliance(
  folders: Folders,
  onFatal: (error: CofreError) => void,
): Promise<Appliance> {
  const vaults = await openVaults({ ...folders, onFatal });
  try {
    const stores = await openApplianceStores(folders.dataFolder, onFatal);
    const clock = () => vaults.serviceTimeMs();
    const tenants = new Tenants(stores.tenants, vaults, clock);
    const copyFolders = { first: copiesFolder(folders.storeFolder), second: folders.copyFolder ?? null };
    const copies = new ApplianceCopies(stores.copies, copyFolders, clock);
    return {
      vaults,
      stores,
      tenants,
      clock,
      copies,
      administration: (publicAddress) =>
        new LocalAdministration({ tenants, stores, vaults, clock, copies, publicAddress }),
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
