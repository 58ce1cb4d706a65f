import type { Server } from 'node:http';
import { LIMITS } from '@cofre/shared/limits';
import type { Administration } from './administration/administration.ts';
import { createAdministrationApp, createApp } from './app.ts';
import { Authenticator } from './auth/authenticator.ts';
import { ReadGrants } from './auth/read-grants.ts';
import { endStalledConnections } from './http/stalled-connections.ts';
import { UploadSlots } from './http/upload-slots.ts';
import { createWebServer, type TlsFiles } from './http/web-server.ts';
import type { Log } from './log.ts';
import type { Appliance } from './open-appliance.ts';
import type { PeopleServices } from './people/people-services.ts';
import { DeviceDirectory } from './tenancy/devices.ts';
import { Enrolments } from './tenancy/enrolment.ts';
import { SERVER_VERSION } from './version.ts';

/** The server for devices and people; it does not listen yet. */
export function createDeviceServer(
  { vaults, stores, clock }: Appliance,
  options: { log: Log; tls: TlsFiles | null; people: PeopleServices; isReady: () => boolean },
): Server {
  const { log, tls, people, isReady } = options;
  const grants = new ReadGrants(clock);
  const app = createApp({
    authenticator: new Authenticator(stores.credentials, grants, clock),
    grants,
    enrolments: new Enrolments(stores.credentials, vaults, clock),
    devices: new DeviceDirectory(stores),
    vaults,
    people,
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
export function createControlServer(administration: Administration, log: Log): Server {
  return createWebServer(createAdministrationApp(administration, log), null);
}
