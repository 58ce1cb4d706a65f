import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { serveApp, type ServedApp } from '../builders/served-app.ts';
import { firstAdmin, invitedPerson, SignedInPerson } from '../builders/signed-in-person.ts';
import { SoftwareAuthenticator } from '../builders/software-authenticator.ts';
import { MemoryVaults } from '../fakes/memory-vaults.ts';

/** Passkeys over real HTTP, with an authenticator in memory. */

let served: ServedApp;
let admin: SignedInPerson;
let tenantId: TenantId;
let person: SignedInPerson;
let key: SoftwareAuthenticator;
let count = 0;

beforeAll(async () => {
  served = await serveApp(new MemoryVaults());
  admin = await firstAdmin(served);
  tenantId = (await served.administration.createTenant({ name: 'Acme', modules: 1 })).tenantId;
});

beforeEach(async () => {
  served.time.nowMs += LIMITS.signInForgetMs;
  await admin.signIn();
  const login = `person${(count += 1)}`;
  person = await invitedPerson(served, admin, { login, role: 'tenant_admin', tenant: tenantId });
  key = new SoftwareAuthenticator();
});

afterAll(() => served.close());

interface Begun {
  readonly ceremony: string;
  readonly options: { readonly challenge: string; readonly rpId?: string; readonly user?: { name: string } };
}

async function begin(who: SignedInPerson, path: string): Promise<Begun> {
  return (await who.post(path)).json as unknown as Begun;
}

async function add(origin = served.origin): Promise<number> {
  const { ceremony, options } = await begin(person, '/v1/session/passkeys/options');
  const response = key.create({ origin, challenge: options.challenge });
  const body = { ceremony, name: 'phone', response };
  return (await person.ask({ method: 'POST', path: '/v1/session/passkeys', body })).status;
}

async function signIn(origin = served.origin) {
  const stranger = new SignedInPerson(served, 'x', 'x');
  const { ceremony, options } = await begin(stranger, '/v1/sign-in/passkey/options');
  const body = { ceremony, response: key.get({ origin, challenge: options.challenge }) };
  const again = () => stranger.ask({ method: 'POST', path: '/v1/sign-in/passkey', body });
  return { answer: await again(), again };
}

test('a passkey signs in alone, names no account before, and each challenge works once', async () => {
  expect(await add()).toBe(204);
  const { answer, again } = await signIn();
  expect(answer.json).toMatchObject({ state: 'signed_in', session: { login: person.login, passkeys: 1 } });
  expect((await again()).json).toMatchObject({ code: 'sign_in_failed' });
});

test('a passkey is taken from our own pages only', async () => {
  expect(await add('https://evil.example')).toBe(422);
  expect(await add()).toBe(204);
  expect((await signIn('https://evil.example')).answer.json).toMatchObject({ code: 'sign_in_failed' });
});

test('a passkey without user verification is none', async () => {
  key.verifiesUser = false;
  expect(await add()).toBe(422);
  key.verifiesUser = true;
  expect(await add()).toBe(204);
  key.verifiesUser = false;
  expect((await signIn()).answer.json).toMatchObject({ code: 'sign_in_failed' });
});

test('a passkey that was removed, or is of nobody, signs nobody in', async () => {
  expect((await signIn()).answer.json).toMatchObject({ code: 'sign_in_failed' });
  expect(await add()).toBe(204);
  const path = `/v1/session/passkeys/${key.credentialId.toString('base64url')}`;
  expect((await person.ask({ method: 'DELETE', path })).status).toBe(204);
  expect((await signIn()).answer.json).toMatchObject({ code: 'sign_in_failed' });
});

test('a passkey is a second factor, and a fresh proof of its own account alone', async () => {
  expect(await add()).toBe(204);
  const { login, password } = person;
  const owed = await person.post('/v1/sign-in/password', { login, password });
  expect(owed.json).toMatchObject({ state: 'second_factor', factors: ['passkey'] });
  served.time.nowMs += LIMITS.freshProofMs;
  const prove = async (who: SignedInPerson) => {
    const { ceremony, options } = await begin(who, '/v1/session/proof/passkey-options');
    const body = { ceremony, response: key.get({ origin: served.origin, challenge: options.challenge }) };
    return (await who.ask({ method: 'POST', path: '/v1/session/proof', body })).status;
  };
  expect(await prove(person)).toBe(200);
  expect(await prove(admin)).toBe(422);
});

test('what adds a way in wants a fresh proof', async () => {
  served.time.nowMs += LIMITS.freshProofMs;
  for (const path of ['/v1/session/passkeys/options', '/v1/session/totp', '/v1/session/recovery-codes']) {
    expect((await person.ask({ method: 'POST', path })).json).toMatchObject({ code: 'fresh_proof_needed' });
  }
});
