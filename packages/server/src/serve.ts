import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CofreError } from '@cofre/shared/errors';
import { readSettingFile } from './administration/setting-file.ts';
import { listenOnControlSocket, removeControlSocket } from './administration/control-socket.ts';
import { saveLastSettings } from './administration/last-settings.ts';
import type { ApplianceSettings } from './cli/settings.ts';
import { createPeople } from './create-people.ts';
import { createControlServer, createDeviceServer } from './create-servers.ts';
import type { TlsFiles } from './http/web-server.ts';
import type { Log } from './log.ts';
import { openAppliance, type Appliance, type Folders } from './open-appliance.ts';
import { maintenanceTasks } from './scheduling/maintenance-tasks.ts';
import { Maintenance } from './scheduling/maintenance.ts';
import { isLoopback, originOf, type ListenAddress } from './tenancy/listen-address.ts';
import type { FirstRun } from './people/first-run.ts';
import { TenantUsage } from './tenancy/tenant-usage.ts';
import { publicAddressFrom, type AddressSettings } from './tenancy/public-address.ts';

/** What the server was told, complete and allowed. */
interface ServeSettings extends Folders {
  readonly listen: ListenAddress;
  readonly publicUrl: string | null;
  readonly certificateFile: string | null;
  readonly copyFolder: string | null;
  readonly tls: TlsFiles | null;
}

export interface RunningServer {
  /** Such as `http://127.0.0.1:8080`. */
  readonly origin: string;
  /** Takes nothing new, lets what runs come to its end for a while, then closes what is kept. */
  stop(): Promise<void>;
}

/** Requests that have not ended by then are cut, so that the process is gone within 30 s. */
const FINISH_MS_MAX = 25_000;
const LOOK_FOR_IDLE_MS = 50;

/**
 * Starts the server.
 * @throws CofreError `settings_invalid`, `busy` when the folders or the address are in use, `storage_failed`
 */
export async function startServer(
  given: ApplianceSettings,
  log: Log,
  onFatal: (error: CofreError) => void,
): Promise<RunningServer> {
  const settings = await serveSettingsFrom(given);
  const appliance = await openAppliance(settings, onFatal);
  for (const doubt of appliance.doubts) log.warn({ doubt }, 'this place keeps less than a disk');
  let isStopping = false;
  try {
    const { tls } = settings;
    // The port is known once it listens.
    let address = addressSettings(settings);
    const people = createPeople({
      store: appliance.stores.people,
      clock: appliance.clock,
      origin: () => publicAddressFrom(address).address,
    });
    const device = createDeviceServer(appliance, { log, tls, people, isReady: () => !isStopping });
    const { listen, control } = await listenOnBoth(device, appliance, settings, log);
    address = { ...address, listen };
    await announceFirstRun(people.firstRun, log);
    const maintenance = await startMaintenance(appliance, log);
    return {
      origin: originOf(listen, settings.tls !== null),
      stop: async () => {
        isStopping = true;
        await Promise.all([finish(device), finish(control), maintenance.stop()]);
        await removeControlSocket(settings.dataFolder);
        await appliance.close();
      },
    };
  } catch (error) {
    await appliance.close();
    throw error;
  }
}

/**
 * While nobody can administer over the network, says in the log with which token somebody begins: the one secret that
 * is ever written there. Whoever reads the log of the host may do everything already.
 */
async function announceFirstRun(firstRun: FirstRun, log: Log): Promise<void> {
  const made = await firstRun.newToken();
  if (made !== null) log.warn({ firstRunToken: made.token, expires: made.expires }, 'no provider admin yet');
}

function addressSettings({ listen, publicUrl, tls }: ServeSettings): AddressSettings {
  return { listen, publicUrl, certificate: tls?.certificate ?? null };
}

async function startMaintenance(appliance: Appliance, log: Log): Promise<Maintenance> {
  const { vaults, tenants, stores, clock, copies } = appliance;
  const usage = new TenantUsage({ tenants, stores, vaults, clock });
  const maintained = {
    vaults,
    listTenantIds: async () => (await tenants.list()).map(({ id }) => id),
    copyIfDue: async () => (await copies.copyIfDue()) !== null,
    lookAtUse: (signal: AbortSignal) => usage.lookAtAll(signal),
  };
  const maintenance = new Maintenance(maintenanceTasks(maintained, log), log);
  await maintenance.start();
  return maintenance;
}

/** The network for devices, and the local socket, which has to know where the former listens. */
async function listenOnBoth(device: Server, appliance: Appliance, settings: ServeSettings, log: Log) {
  const { publicUrl, certificateFile, storeFolder, dataFolder, copyFolder } = settings;
  const listen = await listenOn(device, settings.listen);
  try {
    await saveLastSettings(dataFolder, { storeFolder, listen, publicUrl, certificateFile, copyFolder });
    const address = addressSettings({ ...settings, listen });
    const administration = appliance.administration(() => publicAddressFrom(address));
    const control = createControlServer(administration, log);
    await listenOnControlSocket(control, dataFolder);
    return { listen, control };
  } catch (error) {
    device.close().closeAllConnections();
    throw error;
  }
}

async function serveSettingsFrom(given: ApplianceSettings): Promise<ServeSettings> {
  const { dataFolder, storeFolder, listen, publicUrl, certificateFile, keyFile, copyFolder } = given;
  if (storeFolder === null) refuse('--store', 'it is missing');
  if (listen === null) refuse('--listen', 'it is missing');
  if ((certificateFile === null) !== (keyFile === null)) {
    refuse(certificateFile === null ? '--tls-cert' : '--tls-key', 'certificate and key go together');
  }
  const tls = certificateFile === null || keyFile === null ? null : await readTls(certificateFile, keyFile);
  if (tls === null && !isLoopback(listen)) {
    refuse('--listen', 'without --tls-cert and --tls-key only this machine may reach it, such as 127.0.0.1');
  }
  const settings = { dataFolder, storeFolder, listen, publicUrl, certificateFile, copyFolder, tls };
  if (publicUrl !== null) publicAddressFrom({ listen, publicUrl, certificate: tls?.certificate ?? null });
  return settings;
}

async function readTls(certificateFile: string, keyFile: string): Promise<TlsFiles> {
  return {
    certificate: await readSettingFile('--tls-cert', certificateFile),
    key: await readSettingFile('--tls-key', keyFile),
  };
}

/** Gives the address with the real port, where 0 was asked for. */
async function listenOn(server: Server, listen: ListenAddress): Promise<ListenAddress> {
  const listening = once(server, 'listening');
  server.listen(listen.port, listen.host);
  try {
    await listening;
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    const address = `${listen.host}:${listen.port}`;
    if (code === 'EADDRINUSE') throw new CofreError('busy', { what: `The address ${address}` }, { cause });
    throw new CofreError(
      'settings_invalid',
      { setting: '--listen', problem: `${address}: ${code}` },
      { cause },
    );
  }
  return { host: listen.host, port: (server.address() as AddressInfo).port };
}

async function finish(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  const closeIdle = setInterval(() => server.closeIdleConnections(), LOOK_FOR_IDLE_MS);
  const cut = setTimeout(() => server.closeAllConnections(), FINISH_MS_MAX);
  await closed;
  clearInterval(closeIdle);
  clearTimeout(cut);
}

function refuse(setting: string, problem: string): never {
  throw new CofreError('settings_invalid', { setting, problem });
}
