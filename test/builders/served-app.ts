import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '@cofre/server/app';
import { createPeople } from '@cofre/server/create-people';
import type { Administration } from '@cofre/server/administration/administration';
import { auditedAdministration } from '@cofre/server/administration/audited-administration';
import { LocalPeople } from '@cofre/server/administration/local-people';
import { LocalAdministration } from '@cofre/server/administration/local-administration';
import { Authenticator } from '@cofre/server/auth/authenticator';
import { ReadGrants } from '@cofre/server/auth/read-grants';
import { ApplianceCopies, copiesFolder } from '@cofre/server/db/appliance-copies';
import { openApplianceStores } from '@cofre/server/db/appliance-stores';
import { endStalledConnections } from '@cofre/server/http/stalled-connections';
import { UploadSlots } from '@cofre/server/http/upload-slots';
import { createWebServer } from '@cofre/server/http/web-server';
import { DeviceDirectory } from '@cofre/server/tenancy/devices';
import { Enrolments } from '@cofre/server/tenancy/enrolment';
import { Tenants } from '@cofre/server/tenancy/tenants';
import type { Vaults } from '@cofre/server/vault/vault';
import { sha256 } from '@cofre/shared/hash';
import type { DeviceId, TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { parseEnrolmentLine } from '@cofre/shared/wire/enrolment-line';
import { KeptLog } from '../fakes/kept-log.ts';
import { ask } from './http-client.ts';

export interface EnrolledDevice {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** The header that says who asks. */
  readonly credential: { authorization: string };
}

/** A server that tests reach: one in this process, or a process of its own. */
export interface Reachable {
  readonly origin: string;
  readonly administration: Administration;
}

/** The routes for devices, served on loopback over the given vaults, with a directory in a temporary folder. */
export async function serveApp(vaults: Vaults, options: { idleMs?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'cofre-served-'));
  const time = { nowMs: Date.parse('2026-03-04T05:06:07Z') };
  const clock = () => time.nowMs;
  const log = new KeptLog();
  const failures: unknown[] = [];
  const stores = await openApplianceStores(folder, (error) => failures.push(error));
  const grants = new ReadGrants(clock);
  const tenants = new Tenants(stores.tenants, vaults, clock);
  let origin = '';
  // The cheapest hash there is: what a hash costs is not tested over HTTP.
  const passwordCost = { memoryKib: 8, passes: 1, lanes: 1 };
  const people = createPeople({ store: stores.people, clock, origin: () => origin, passwordCost });
  const app = createApp({
    people,
    authenticator: new Authenticator(stores.credentials, grants, clock),
    grants,
    enrolments: new Enrolments(stores.credentials, vaults, clock),
    devices: new DeviceDirectory(stores),
    vaults,
    uploadSlots: new UploadSlots(LIMITS),
    clock,
    log,
    serverVersion: '0.0.0-test',
    isReady: () => true,
  });
  const server = createWebServer(app, null);
  endStalledConnections(server, options.idleMs ?? LIMITS.bodyIdleTimeoutMs);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const publicAddress = () => ({ address: origin, certificatePin: null });
  const copies = new ApplianceCopies(stores.copies, { first: copiesFolder(folder), second: null }, clock);
  const findTenant = async (reference: string) => (await tenants.find(reference)).id;
  const onHost = new LocalPeople(people, stores.people, findTenant);
  const services = { tenants, stores, vaults, clock, copies, people: onHost, publicAddress };
  const administration = auditedAdministration(new LocalAdministration(services), {
    audit: people.audit,
    tenantIds: async (reference) =>
      reference === null ? (await tenants.list()).map(({ id }) => id) : [await findTenant(reference)],
  });
  return {
    origin,
    app,
    server,
    log,
    time,
    administration,
    people,
    stores,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await stores.close();
      rmSync(folder, { recursive: true });
      if (failures.length > 0) throw new AggregateError(failures, 'The database failed during the tests');
    },
  };
}

export type ServedApp = Awaited<ReturnType<typeof serveApp>>;

export interface DeviceTraits {
  readonly name?: string;
  /** Ed25519 public key, hexadecimal. */
  readonly signingKey?: string;
}

/** What a device with this secret sends to join. */
export function enrolmentBody(
  line: string,
  secret: Buffer,
  { name = 'notebook', signingKey = sha256(secret).toString('hex') }: DeviceTraits = {},
) {
  return {
    code: parseEnrolmentLine(line).code,
    name,
    platform: 'linux',
    agentVersion: '0.0.0-test',
    signingKey,
    inbox: 'age1pq1test',
    credentialHash: sha256(secret).toString('hex'),
  };
}

/** Enrols a device of the tenant (named by id or name) over HTTP. */
export async function enrolDevice(
  served: Reachable,
  tenant: string,
  traits?: DeviceTraits,
): Promise<EnrolledDevice> {
  const { line } = await served.administration.invite(tenant);
  const secret = randomBytes(32);
  const body = enrolmentBody(line, secret, traits);
  const answer = await ask(served.origin, { method: 'POST', path: '/v1/enroll', body });
  const { tenantId, deviceId } = answer.json as { tenantId: TenantId; deviceId: DeviceId };
  return { tenantId, deviceId, credential: credentialOf(deviceId, secret) };
}

/** The header of a device with this secret. */
export function credentialOf(deviceId: string, secret: Buffer): { authorization: string } {
  return { authorization: `Cofre ${deviceId}.${secret.toString('base64url')}` };
}
