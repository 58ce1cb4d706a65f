import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { permissionsOf } from '@cofre/server/auth/permissions';
import { newRandomId, type TenantId, type UserId } from '@cofre/shared/ids';
import { PROVIDER_ROLES, TENANT_ROLES, type Role } from '@cofre/shared/wire/people';
import { ask, type HttpAnswer } from '../builders/http-client.ts';
import { credentialOf, enrolDevice, serveApp, type ServedApp } from '../builders/served-app.ts';
import { firstAdmin, invitedPerson, type SignedInPerson } from '../builders/signed-in-person.ts';
import { MemoryVaults } from '../fakes/memory-vaults.ts';
import { PEOPLE_ROWS, type PeopleNames, type PeopleRow } from './people-rows.ts';

/**
 * Every route for people × every role × things of the own tenant, of a foreign one, of nobody. What a role has no
 * permission for is refused whatever is named; what is foreign answers exactly like what is missing.
 */

const ROLES: readonly Role[] = [...PROVIDER_ROLES, ...TENANT_ROLES];

let served: ServedApp;
let own: TenantId;
let foreign: TenantId;
let deviceCredential: { authorization: string };
const people = new Map<Role, SignedInPerson>();
let foreignAdmin: SignedInPerson;
let foreignToken: string;

beforeAll(async () => {
  served = await serveApp(new MemoryVaults());
  const admin = await firstAdmin(served);
  people.set('provider_admin', admin);
  own = (await served.administration.createTenant({ name: 'Own', modules: 1 })).tenantId;
  foreign = (await served.administration.createTenant({ name: 'Foreign secret name', modules: 1 })).tenantId;
  for (const role of ROLES.slice(1)) {
    await admin.signIn();
    const tenant = role.startsWith('tenant') ? { tenant: own } : {};
    people.set(role, await invitedPerson(served, admin, { login: `${role}@own`, role, ...tenant }));
  }
  await admin.signIn();
  const somebody = { login: 'secret@foreign', role: 'tenant_admin', tenant: foreign } as const;
  foreignAdmin = await invitedPerson(served, admin, somebody);
  const expires = new Date(served.time.nowMs + 86_400_000).toISOString();
  const made = await foreignAdmin.post('/v1/api-tokens', { name: 'x', scopes: ['audit.read'], expires });
  foreignToken = (made.json as { token: { tokenId: string } }).token.tokenId;
  deviceCredential = (await enrolDevice(served, own)).credential;
});

afterAll(() => served.close());

beforeEach(() => {
  // Throttles forget, so that one test does not slow the next one down.
  served.time.nowMs += 86_400_000;
});

function namesOf(which: 'own' | 'foreign' | 'nobody'): PeopleNames {
  const nothing = { passkey: randomBytes(16).toString('base64url'), token: newRandomId<string>() };
  const member = people.get('tenant_member');
  if (which === 'own') return { ...nothing, user: member?.userId as UserId, tenant: own };
  if (which === 'nobody') return { ...nothing, user: newRandomId<UserId>(), tenant: newRandomId<TenantId>() };
  return { ...nothing, token: foreignToken, user: foreignAdmin.userId as UserId, tenant: foreign };
}

async function signedIn(role: Role): Promise<SignedInPerson> {
  const person = people.get(role);
  if (person === undefined) throw new Error(`Nobody is ${role}`);
  await person.signIn();
  // The row that gives the authenticator app up came first.
  if ((await person.ask({ method: 'GET', path: '/v1/session' })).json?.['needsSecondFactor'] === true) {
    await person.addTotp();
  }
  return person;
}

const isProvider = (role: Role) => !role.startsWith('tenant');

function expectNothingForeign({ body }: HttpAnswer): void {
  for (const secret of ['secret@foreign', 'Foreign secret name', 'Name of secret']) {
    expect(body.toString()).not.toContain(secret);
  }
}

/** An answer without what differs each time. */
function shapeOf({ status, body }: HttpAnswer): object {
  const text = body.toString().replace(/[0-9a-f]{32}/g, 'ID');
  return { status, text };
}

const rows = Object.entries(PEOPLE_ROWS).map(([route, row]) => ({ route, row }));
const closed = rows.filter(({ row }) => row.who !== 'open');

test('every role has somebody', () => {
  expect([...people.keys()].toSorted()).toEqual([...ROLES].toSorted());
});

describe.each(closed)('$route', ({ row }) => {
  test('gives nothing without a session, nor to a device, an unknown token, an ended session', async () => {
    const question = row.ask(namesOf('own'));
    const headers = { origin: served.origin };
    const shown = [
      {},
      deviceCredential,
      credentialOf(newRandomId(), randomBytes(32)),
      { authorization: `Bearer cofre_${randomBytes(32).toString('base64url')}` },
      { cookie: `__Host-cofre=${randomBytes(32).toString('base64url')}` },
    ];
    for (const credential of shown) {
      const answer = await ask(served.origin, { ...question, headers: { ...headers, ...credential } });
      expect([answer.status, answer.json?.['code']]).toEqual([401, 'not_signed_in']);
    }
  });

  test.each(ROLES)('for %s', async (role) => {
    const person = await signedIn(role);
    if (row.who === 'own') await expectOwn(person, row);
    else if (row.who !== 'open' && !permissionsOf(role).includes(row.who)) await expectRefused(person, row);
    else if (isProvider(role)) await expectProviderReaches(person, row);
    else await expectTenantReaches(person, row);
  });
});

/** One's own account: it answers, and knows nothing of others'. */
async function expectOwn(person: SignedInPerson, row: PeopleRow): Promise<void> {
  const answer = await person.ask(row.ask(namesOf('foreign')));
  const missing = await person.ask(row.ask(namesOf('nobody')));
  const codes = [answer, missing].map(({ status, json }) => [status, json?.['code']]);
  expectNothingForeign(answer);
  const isOthers = row.names === 'own thing';
  expect(isOthers ? codes : []).toEqual(isOthers ? [codes[1], [404, 'not_found']] : []);
  expect(isOthers ? [] : [403, 404]).not.toContain(answer.status);
}

async function expectRefused(person: SignedInPerson, row: PeopleRow): Promise<void> {
  for (const which of ['own', 'foreign', 'nobody'] as const) {
    const answer = await person.ask(row.ask(namesOf(which)));
    expect([which, answer.status, answer.json?.['code']]).toEqual([which, 403, 'forbidden']);
    expectNothingForeign(answer);
  }
}

/** The provider reaches every tenant. The last administrator of one stays one. */
async function expectProviderReaches(person: SignedInPerson, row: PeopleRow): Promise<void> {
  const question = row.ask(namesOf('foreign'));
  const { status } = await person.ask(question);
  expect(status).toBe(question.method === 'PUT' ? 409 : 200);
}

/** People of a tenant reach theirs, and what is foreign is as if it were not. */
async function expectTenantReaches(person: SignedInPerson, row: PeopleRow): Promise<void> {
  const answer = await person.ask(row.ask(namesOf('foreign')));
  expectNothingForeign(answer);
  expect(shapeOf(answer)).toEqual(shapeOf(await person.ask(row.ask(namesOf('nobody')))));
  const onOwn = await person.ask(row.ask(namesOf('own')));
  // Nobody of a tenant names one, not even his own.
  expect([answer.status, onOwn.status]).toEqual(row.names === 'user' ? [404, 200] : [403, 403]);
}

describe('what names no tenant gives people of a tenant their own', () => {
  test.each(['/v1/users', '/v1/audit', '/v1/audit/export'])('%s', async (path) => {
    const answer = await (await signedIn('tenant_admin')).ask({ method: 'GET', path });
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toContain(own);
    expect(answer.body.toString()).not.toContain(foreign);
    expectNothingForeign(answer);
  });

  test('somebody invited is of the tenant of who invites', async () => {
    const body = { login: 'invited@own', name: 'I', role: 'tenant_member' };
    const { json } = await (await signedIn('tenant_admin')).post('/v1/invitations', body);
    expect(json).toMatchObject({ user: { tenantId: own } });
  });

  test.each(PROVIDER_ROLES)('nobody of a tenant makes a %s', async (role) => {
    const body = { login: `as-${role}`, name: 'I', role };
    const person = await signedIn('tenant_admin');
    expect((await person.ask({ method: 'POST', path: '/v1/invitations', body })).status).toBe(403);
    const change = { name: 'I', role, isDisabled: false };
    const path = `/v1/users/${people.get('tenant_member')?.userId}`;
    expect((await person.ask({ method: 'PUT', path, body: change })).status).toBe(403);
  });

  test('nobody of a tenant restores to a device of another', async () => {
    const device = await enrolDevice(served, foreign);
    const change = { name: 'I', role: 'tenant_member', isDisabled: false };
    const path = `/v1/users/${people.get('tenant_member')?.userId}`;
    const person = await signedIn('tenant_admin');
    const choose = async (id: string) =>
      shapeOf(await person.ask({ method: 'PUT', path, body: { ...change, devices: [id] } }));
    const codeOf = (shape: object) => JSON.stringify(shape).match(/"status":\d+|not_found/g);
    expect(codeOf(await choose(device.deviceId))).toEqual(codeOf(await choose(newRandomId())));
  });
});
