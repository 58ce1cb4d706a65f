import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openVaults } from '@cofre/server/vault/open-vaults';
import type { Vaults } from '@cofre/server/vault/vault';
import { newRandomId } from '@cofre/shared/ids';
import { ask, type HttpAnswer, type HttpQuestion } from '../builders/http-client.ts';
import { enrolmentBody, serveApp, type ServedApp } from '../builders/served-app.ts';
import { serveTenant, type ServedTenant } from '../builders/served-tenant.ts';
import { sampleBlob, samplePack } from '../builders/vault-samples.ts';
import { PEOPLE_ROWS } from './people-rows.ts';

/**
 * Two tenants with a backup each, over real vaults and public HTTP. For every route: its owner gets what is his; another
 * tenant who names the owner's things gets exactly what he would get if there were no such things; without a
 * credential nobody gets anything. A new route fails the first test until it has its row.
 */

let folder: string;
let vaults: Vaults;
let served: ServedApp;
let owner: ServedTenant;
let stranger: ServedTenant;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-isolation-'));
  const onFatal = (error: Error) => {
    throw error;
  };
  vaults = await openVaults({
    dataFolder: join(folder, 'data'),
    storeFolder: join(folder, 'store'),
    onFatal,
  });
  served = await serveApp(vaults);
  owner = await serveTenant(served, 'Owner');
  stranger = await serveTenant(served, 'Stranger');
});

afterAll(async () => {
  await served.close();
  await vaults.close();
  rmSync(folder, { recursive: true });
});

/** What the owner's things are called, or names of nothing. */
interface Names {
  readonly session: string;
  readonly domain: string;
  readonly set: string;
  readonly device: string;
  readonly period: string;
  readonly chunk: string;
}

interface Row {
  readonly ask: (names: Names) => HttpQuestion;
  /** Status for the owner. */
  readonly own: number;
  /**
   * `hidden`: refused as if there were nothing. `empty`: answered, with nothing of the owner's in it. `refused`: what
   * the owner signed is of no use to another.
   */
  readonly stranger: 'hidden' | 'empty' | 'refused';
}

const get = (path: (names: Names) => string) => (names: Names) => ({ method: 'GET', path: path(names) });

const ROWS: Record<string, Row | 'open'> = {
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  'GET /openapi.json': 'open',
  'POST /v1/enroll': 'open',
  'GET /v1/device': { ask: get(() => '/v1/device'), own: 200, stranger: 'empty' },
  'GET /v1/trust': { ask: get(() => '/v1/trust'), own: 200, stranger: 'empty' },
  'PUT /v1/trust': {
    ask: () => ({
      method: 'PUT',
      path: '/v1/trust',
      body: {
        authorityKey: owner.authority.publicKey.toString('hex'),
        roster: owner.roster.toString('base64'),
      },
    }),
    own: 204,
    stranger: 'refused',
  },
  'POST /v1/read-grants': {
    ask: () => ({
      method: 'POST',
      path: '/v1/read-grants',
      body: owner.readGrant(vaults.serviceTimeMs() + 60_000),
    }),
    own: 200,
    stranger: 'refused',
  },
  'GET /v1/objects/:kind': {
    ask: get(({ period }) => `/v1/objects/keyring?period=${period}`),
    own: 200,
    stranger: 'hidden',
  },
  'POST /v1/objects/:kind': {
    ask: () => ({ method: 'POST', path: '/v1/objects/keyring', body: owner.keyringObject }),
    own: 200,
    stranger: 'refused',
  },
  'POST /v1/sessions': {
    ask: ({ domain, set }) => ({
      method: 'POST',
      path: '/v1/sessions',
      body: { operationId: newRandomId(), domainId: domain, setId: set },
    }),
    own: 200,
    stranger: 'hidden',
  },
  'POST /v1/sessions/:id/renew': {
    ask: ({ session }) => ({ method: 'POST', path: `/v1/sessions/${session}/renew` }),
    own: 200,
    stranger: 'hidden',
  },
  'DELETE /v1/sessions/:id': {
    ask: ({ session }) => ({ method: 'DELETE', path: `/v1/sessions/${session}` }),
    own: 204,
    stranger: 'hidden',
  },
  'POST /v1/sessions/:id/have': {
    ask: ({ session, chunk }) => ({
      method: 'POST',
      path: `/v1/sessions/${session}/have`,
      body: Buffer.from(chunk, 'hex'),
    }),
    own: 200,
    stranger: 'hidden',
  },
  'PUT /v1/sessions/:id/packs/:operationId': {
    ask: ({ session }) => ({
      method: 'PUT',
      path: `/v1/sessions/${session}/packs/${newRandomId()}`,
      body: samplePack([sampleBlob(owner.device)]),
    }),
    own: 200,
    stranger: 'hidden',
  },
  'PUT /v1/sessions/:id/refs/:part': {
    ask: ({ session, chunk }) => ({
      method: 'PUT',
      path: `/v1/sessions/${session}/refs/0?mode=add`,
      body: Buffer.from(chunk, 'hex'),
    }),
    own: 200,
    stranger: 'hidden',
  },
  'POST /v1/sessions/:id/commit': {
    ask: ({ session }) => ({
      method: 'POST',
      path: `/v1/sessions/${session}/commit`,
      body: { manifest: owner.snapshot.object.toString('base64'), refs: 'full' },
    }),
    // The same manifest again gives the same answer.
    own: 200,
    stranger: 'hidden',
  },
  'GET /v1/snapshots': {
    ask: get(({ device, set }) => `/v1/snapshots?device=${device}&set=${set}`),
    own: 200,
    stranger: 'empty',
  },
  'GET /v1/devices': { ask: get(() => '/v1/devices'), own: 200, stranger: 'empty' },
  'POST /v1/domains/:id/chunks/read': {
    ask: ({ domain, chunk }) => ({
      method: 'POST',
      path: `/v1/domains/${domain}/chunks/read`,
      body: Buffer.from(chunk, 'hex'),
    }),
    own: 200,
    stranger: 'hidden',
  },
};

function ownersNames(session: string): Names {
  const { domainId, setId, deviceId, keyPeriodId } = owner.device;
  return {
    session,
    domain: domainId,
    set: setId,
    device: deviceId,
    period: keyPeriodId,
    chunk: owner.blob.chunkId,
  };
}

function namesOfNothing(): Names {
  const [session, domain, set, device, period] = Array.from({ length: 5 }, () => newRandomId<string>());
  const chunk = randomBytes(32).toString('hex');
  return { session, domain, set, device, period, chunk } as Names;
}

/** Nothing of the owner's stands in the answer, but what the question named. */
function expectNothingOfTheOwners(answer: HttpAnswer, question: HttpQuestion): void {
  const { device, enrolled, snapshot, blob, root, authority, roster } = owner;
  const names = [device.tenantId, device.deviceId, enrolled.credential.authorization, device.domainId];
  const texts = [...names, owner.name, snapshot.snapshotId, snapshot.object.toString('base64')];
  const objects = [roster.toString('base64'), authority.publicKey.toString('hex'), device.keyPeriodId];
  const text = answer.body.toString('latin1');
  const asked = JSON.stringify(question);
  const told = [...texts, ...objects].filter((secret) => !asked.includes(secret) && text.includes(secret));
  expect(told).toEqual([]);
  expect([blob, root].filter(({ bytes }) => answer.body.includes(bytes.subarray(-64)))).toEqual([]);
}

test('every route of the app has its row, and every row its route', () => {
  const routes = served.app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path}`);
  expect([...new Set(routes)].sort()).toEqual([...Object.keys(ROWS), ...Object.keys(PEOPLE_ROWS)].sort());
});

const guarded = Object.entries(ROWS).flatMap(([route, row]) => (row === 'open' ? [] : [{ route, row }]));

describe.each(guarded)('$route', ({ row }) => {
  test('gives nothing without a credential', async () => {
    const question = row.ask(ownersNames(await owner.openSession()));
    const answer = await ask(served.origin, question);
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ code: 'unauthenticated' });
    expectNothingOfTheOwners(answer, question);
  });

  test("gives another tenant nothing of the owner's", async () => {
    const question = row.ask(ownersNames(await owner.openSession()));
    const answer = await stranger.ask(question);
    expectNothingOfTheOwners(answer, question);
    const asIfNothing = await stranger.ask(row.ask(namesOfNothing()));
    const expected = {
      hidden: shapeOf(asIfNothing),
      empty: { ...shapeOf(answer), status: 200 },
      refused: { ...shapeOf(answer), status: Math.max(400, answer.status) },
    };
    expect(shapeOf(answer)).toEqual(expected[row.stranger]);
  });

  test('gives the owner what is his, after the stranger has tried', async () => {
    const names = ownersNames(await owner.openSession());
    await stranger.ask(row.ask(names));
    expect((await owner.ask(row.ask(names))).status).toBe(row.own);
  });
});

/** An answer without what differs each time: ids, times, and the names that were asked for. */
function shapeOf({ status, body }: HttpAnswer): object {
  const text = body.toString('latin1');
  const isText = /^[\x20-\x7e]*$/.test(text);
  if (!isText) return { status, bytes: body.length };
  return {
    status,
    text: text.replace(/[0-9a-f]{32,64}/g, 'ID').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'),
  };
}

test('a code enrols into the tenant that gave it out, whoever uses it', async () => {
  const { line } = await served.administration.invite(owner.name);
  const body = enrolmentBody(line, randomBytes(32));
  const { json } = await ask(served.origin, {
    method: 'POST',
    path: '/v1/enroll',
    body,
    headers: stranger.enrolled.credential,
  });
  expect(json).toMatchObject({ tenantId: owner.device.tenantId });
});
