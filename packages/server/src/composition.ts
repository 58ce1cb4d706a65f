import type { Server } from 'node:http';
import type { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import { LocalAdministration } from './administration/local-administration.ts';
import { createAdministrationApp, createApp } from './app.ts';
import { Authenticator } from './auth/authenticator.ts';
import { ReadGrants } from './auth/read-grants.ts';
import type { Clock } from './clock.ts';
import { openApplianceStores, type ApplianceStores } from './db/appliance-stores.ts';
import { endStalledConnections } from './http/stalled-connections.ts';
import { UploadSlots } from './http/upload-slots.ts';
import { createWebServer, type TlsFiles } from './http/web-server.ts';
import type { Log } from './log.ts';
import { DeviceDirectory } from './tenancy/devices.ts';
import { Enrolments } from './tenancy/enrolment.ts';
import type { PublicAddress } from './tenancy/public-address.ts';
import { Tenants } from './tenancy/tenants.ts';
import { SERVER_VERSION } from './version.ts';
import { openVaults } from './vault/open-vaults.ts';
import type { Vaults } from './vault/vault.ts';

/**
 * Where concrete things are built: for main alone, which loads this file when it is needed, so that `--help` and the
 * commands that ask a running server start at once.
 */
export interface Appliance {
  readonly vaults: Vaults;
  readonly stores: ApplianceStores;
  readonly tenants: Tenants;
  readonly clock: Clock;
  administration(publicAddress: () => PublicAddress): LocalAdministration;
  close(): Promise<void>;
}

export interface Folders {
  readonly dataFolder: string;
  readonly storeFolder: string;
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
    return {
      vaults,
      stores,
      tenants,
      clock,
      administration: (publicAddress) =>
        new LocalAdministration({ tenants, stores, vaults, clock, publicAddress }),
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

/** The server for devices; it does not listen yet. */
export function createDeviceServer(
  { vaults, stores, clock }: Appliance,
  options: { log: Log; tls: TlsFiles | null; isReady: () => boolean },
): Server {
  const { log, tls, isReady } = options;
  const grants = new ReadGrants(clock);
  const app = createApp({
    authenticator: new Authenticator(stores.credentials, grants, clock),
    grants,
    enrolments: new Enrolments(stores.credentials, vaults, clock),
    devices: new DeviceDirectory(stores),
    vaults,
    uploadSlots: new UploadSlots(LIMITS),
    clock,
    log,
    serverVersion: SERVER_VERSION,
    isReady,
  });
  const server = createWebServer(app, tls);
  endStalledConnections(server, LIMITS.bodyIdleTimeoutMs);
  return server;
}

/** The server for the command line; it does not listen yet. */
export function createControlServer(administration: LocalAdministration, log: Log): Server {
  return createWebServer(createAdministrationApp(administration, log), null);
}
