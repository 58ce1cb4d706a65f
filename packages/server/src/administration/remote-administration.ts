import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import type { ZodType } from 'zod';
import { CofreError, isErrorCode } from '@cofre/shared/errors';
import { applianceCopy, applianceCopyList, type ApplianceCopy } from '@cofre/shared/wire/appliance-copies';
import {
  administeredDevice,
  administeredDeviceList,
  inviteResponse,
  tenantItem,
  tenantList,
  vaultStatisticsList,
  verifyEvent,
  type AdministeredDevice,
  type InviteResponse,
  type TenantItem,
  type VaultStatistics,
  type VerifyResult,
} from '@cofre/shared/wire/administration';
import { collectionEvent, type CollectionReport } from '@cofre/shared/wire/collection';
import {
  scrubEvent,
  vaultDamagesList,
  type ScrubReport,
  type VaultDamagesList,
} from '@cofre/shared/wire/damage';
import { problem, type Problem } from '@cofre/shared/wire/problem';
import type { NewTenant } from '../tenancy/tenants.ts';
import type { PeopleAdministration } from './people-administration.ts';
import { RemotePeople } from './remote-people.ts';
import { RemoteRetention } from './remote-retention.ts';
import { RemoteTenants } from './remote-tenants.ts';
import type { RetentionAdministration } from './retention-administration.ts';
import type { TenantAdministration } from './tenant-administration.ts';
import type { Administration, AskedScrub, ReadingRun } from './administration.ts';

type ReadingEvent =
  | { readonly type: 'progress'; readonly bytes: number }
  | { readonly type: 'problem'; readonly problem: Problem }
  | { readonly type: 'result' };

/** Asks a running server over its control socket. Each question takes a connection of its own from `connect`. */
export class RemoteAdministration implements Administration {
  readonly #connect: () => Promise<Socket | null>;
  readonly retention: RetentionAdministration;
  readonly tenants: TenantAdministration;
  readonly people: PeopleAdministration;

  /** @param connect gives null when no server runs */
  constructor(connect: () => Promise<Socket | null>) {
    this.#connect = connect;
    this.retention = new RemoteRetention((...question) => this.#ask(...question));
    this.tenants = new RemoteTenants((...question) => this.#ask(...question));
    this.people = new RemotePeople((...question) => this.#ask(...question));
  }

  async createTenant(tenant: NewTenant): Promise<TenantItem> {
    return await this.#ask('POST', '/tenants', tenantItem, tenant);
  }

  async listTenants(): Promise<TenantItem[]> {
    return (await this.#ask('GET', '/tenants', tenantList)).items;
  }

  async invite(tenant: string): Promise<InviteResponse> {
    return await this.#ask('POST', `/tenants/${encodeURIComponent(tenant)}/invitations`, inviteResponse);
  }

  async listDevices(tenant: string): Promise<AdministeredDevice[]> {
    const path = `/tenants/${encodeURIComponent(tenant)}/devices`;
    return (await this.#ask('GET', path, administeredDeviceList)).items;
  }

  async revokeDevice(tenant: string, device: string): Promise<AdministeredDevice> {
    const path = `/tenants/${encodeURIComponent(tenant)}/devices/${encodeURIComponent(device)}/revoke`;
    return await this.#ask('POST', path, administeredDevice);
  }

  async statistics(tenant: string | null): Promise<VaultStatistics[]> {
    return (await this.#ask('GET', `/statistics${queryFrom(tenant)}`, vaultStatisticsList)).items;
  }

  async copyDirectory(): Promise<ApplianceCopy> {
    return await this.#ask('POST', '/copies', applianceCopy);
  }

  async listCopies(): Promise<ApplianceCopy[]> {
    return (await this.#ask('GET', '/copies', applianceCopyList)).items;
  }

  async verify(tenant: string | null, run: ReadingRun): Promise<VerifyResult> {
    return (await this.#follow(`/verify${queryFrom(tenant)}`, verifyEvent, run)).result;
  }

  async scrub(tenant: string | null, run: AskedScrub): Promise<ScrubReport> {
    const path = run.isDueOnly ? '/scrub/due' : '/scrub/everything';
    return (await this.#follow(`${path}${queryFrom(tenant)}`, scrubEvent, run)).result;
  }

  async collect(tenant: string | null, run: ReadingRun): Promise<CollectionReport> {
    return (await this.#follow(`/collect${queryFrom(tenant)}`, collectionEvent, run)).result;
  }

  async listDamages(tenant: string | null): Promise<VaultDamagesList> {
    return await this.#ask('GET', `/damages${queryFrom(tenant)}`, vaultDamagesList);
  }

  /** Hears the events of a run that reads for long, up to its result. */
  async #follow<Event extends ReadingEvent>(
    path: string,
    schema: ZodType<Event>,
    { onProgress, signal }: ReadingRun,
  ): Promise<Extract<Event, { type: 'result' }>> {
    const incoming = await this.#send('POST', path);
    const stop = () => incoming.destroy();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const line of createInterface({ input: incoming })) {
        const event = parseAnswer(schema, line);
        if (event.type === 'progress') onProgress(event.bytes);
        else if (event.type === 'problem') throw errorFrom(event.problem);
        else return event as Extract<Event, { type: 'result' }>;
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
    signal.throwIfAborted();
    throw new CofreError('protocol', { problem: 'the answer was cut' });
  }

  async #ask<Answer>(method: string, path: string, schema: ZodType<Answer>, body?: object): Promise<Answer> {
    const incoming = await this.#send(method, path, body);
    return parseAnswer(schema, (await buffer(incoming)).toString('utf8'));
  }

  /** @throws CofreError as the server says */
  async #send(method: string, path: string, body?: object): Promise<IncomingMessage> {
    const socket = await this.#connect();
    if (socket === null) throw new CofreError('unavailable', { problem: 'it has just stopped' });
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      const content = body === undefined ? '' : JSON.stringify(body);
      const headers = {
        connection: 'close',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(content),
      };
      const outgoing = request({ method, path, headers, createConnection: () => socket }, resolve);
      outgoing.on('error', reject);
      outgoing.end(content);
    });
    if (incoming.statusCode === 200) return incoming;
    throw errorFrom(parseAnswer(problem, (await buffer(incoming)).toString('utf8')));
  }
}

function queryFrom(tenant: string | null): string {
  return tenant === null ? '' : `?tenant=${encodeURIComponent(tenant)}`;
}

function parseAnswer<Answer>(schema: ZodType<Answer>, text: string): Answer {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CofreError('protocol', { problem: 'an answer of another shape' }, { cause });
  }
}

function errorFrom({ code, message, parameters }: Problem): CofreError {
  return isErrorCode(code)
    ? new CofreError(code, parameters)
    : new CofreError('internal', { problem: message });
}
