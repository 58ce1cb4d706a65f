import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { PERMISSIONS } from '@cofre/shared/wire/people';
import { problem } from '@cofre/shared/wire/problem';
import { ask, type HttpAnswer } from '../builders/http-client.ts';
import { serveApp, type ServedApp } from '../builders/served-app.ts';
import { codeOf, firstAdmin, invitedPerson, SignedInPerson, tokenOf } from '../builders/signed-in-person.ts';
import { MemoryVaults } from '../fakes/memory-vaults.ts';

/** People over real HTTP: how they come in, how long they stay, and what they may do. */

let served: ServedApp;
let admin: SignedInPerson;
let tenantId: TenantId;
let tenantAdmin: SignedInPerson;

beforeAll(async () => {
  served = await serveApp(new MemoryVaults());
  admin = await firstAdmin(served);
  tenantId = (await served.administration.createTenant({ name: 'Acme', modules: 1 })).tenantId;
  tenantAdmin = await invitedPerson(served, admin, {
    login: 'ana@acme.example',
    role: 'tenant_admin',
    tenant: tenantId,
  });
});

afterAll(() => served.close());

function expectProblem(answer: HttpAnswer, status: number, code: string): void {
  expect([answer.status, problem.parse(answer.json).code]).toEqual([status, code]);
}

const session = { method: 'GET', path: '/v1/session' };
const later = (ms: number) => (served.time.nowMs += ms);

let count = 0;
/** Somebody of the tenant, signed in. */
function member(): Promise<SignedInPerson> {
  const login = `member${(count += 1)}@acme.example`;
  return freshly(() => invitedPerson(served, admin, { login, role: 'tenant_member', tenant: tenantId }));
}

/** With a fresh proof of the provider's admin. */
async function freshly<Result>(work: () => Promise<Result>): Promise<Result> {
  await admin.signIn();
  return await work();
}

describe('the first run', () => {
  test('is over once there is a provider admin', async () => {
    expect(await served.people.firstRun.newToken()).toBeNull();
  });

  test('takes no token that was not given out', async () => {
    const stranger = new SignedInPerson(served, 'x', 'violet harbour ninety lamps');
    const body = { token: 'A'.repeat(43), login: 'x', name: 'X', password: stranger.password };
    expectProblem(await stranger.ask({ method: 'POST', path: '/v1/first-run', body }), 410, 'link_invalid');
  });
});

describe('a session', () => {
  test('says who is signed in, in a cookie that only this host and no script gets', async () => {
    const { login, password } = tenantAdmin;
    const answer = await tenantAdmin.post('/v1/sign-in/password', { login, password });
    expect(answer.json).toMatchObject({
      state: 'signed_in',
      session: { login, role: 'tenant_admin', tenantId },
    });
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^__Host-cofre=[\w-]{43};/);
    for (const trait of ['Secure', 'HttpOnly', 'SameSite=Strict', 'Path=/']) expect(cookie).toContain(trait);
    expect(cookie).not.toMatch(/domain/i);
    expect((await tenantAdmin.ask(session)).json).toMatchObject({ login, needsSecondFactor: false });
  });

  test('ends when nobody used it for a while, and at its age however much it was used', async () => {
    const person = await member();
    later(LIMITS.personSessionIdleMs - 1);
    expect((await person.ask(session)).status).toBe(200);
    later(LIMITS.personSessionIdleMs);
    expectProblem(await person.ask(session), 401, 'not_signed_in');
    await person.signIn();
    const startMs = served.time.nowMs;
    while (served.time.nowMs - startMs < LIMITS.personSessionAgeMaxMs - LIMITS.personSessionIdleMs) {
      later(LIMITS.personSessionIdleMs - 1000);
      expect((await person.ask(session)).status).toBe(200);
    }
    later(startMs + LIMITS.personSessionAgeMaxMs - served.time.nowMs);
    expectProblem(await person.ask(session), 401, 'not_signed_in');
  });

  test('ends with signing out, here or everywhere', async () => {
    const person = await member();
    const first = person.cookie;
    await person.signIn();
    const second = person.cookie;
    const out = { method: 'DELETE', path: '/v1/session?everywhere=true' };
    expect((await person.ask(out)).status).toBe(204);
    expect(person.cookie).toBeNull();
    for (const cookie of [first, second]) {
      person.cookie = cookie;
      expectProblem(await person.ask(session), 401, 'not_signed_in');
    }
  });

  test('ends when the account is disabled', async () => {
    const person = await member();
    const change = { name: 'X', role: 'tenant_member', isDisabled: true };
    const path = `/v1/users/${person.userId}`;
    expect((await admin.ask({ method: 'PUT', path, body: change })).json).toMatchObject({
      state: 'disabled',
    });
    expectProblem(await person.ask(session), 401, 'not_signed_in');
    const { login, password } = person;
    const again = await person.ask({
      method: 'POST',
      path: '/v1/sign-in/password',
      body: { login, password },
    });
    expectProblem(again, 401, 'sign_in_failed');
  });
});

describe('another site', () => {
  beforeAll(() => tenantAdmin.signIn());

  const out = { method: 'DELETE', path: '/v1/session' };
  test.each([
    ['a foreign origin', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['a foreign origin and nothing else', { origin: 'https://evil.example', 'sec-fetch-site': '' }],
    ['another host of our domain', { 'sec-fetch-site': 'same-site' }],
    ['a typed address that changes something', { 'sec-fetch-site': 'none' }],
  ])('changes nothing with our cookie: %s', async (_, headers) => {
    expectProblem(await tenantAdmin.ask({ ...out, headers }), 403, 'cross_site');
    expect((await tenantAdmin.ask(session)).status).toBe(200);
  });

  test('reads nothing either, and signs nobody in', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' };
    expectProblem(await tenantAdmin.ask({ ...session, headers }), 403, 'cross_site');
    const { login, password } = tenantAdmin;
    const path = '/v1/sign-in/password';
    const silent = await ask(served.origin, { method: 'POST', path, body: { login, password } });
    expectProblem(silent, 403, 'cross_site');
  });

  test('a request that says nothing about where it comes from changes nothing', async () => {
    const cookie = tenantAdmin.cookie ?? '';
    expectProblem(await ask(served.origin, { ...out, headers: { cookie } }), 403, 'cross_site');
  });
});

describe('signing in', () => {
  const attempt = (person: SignedInPerson, login: string, password: string) =>
    person.ask({ method: 'POST', path: '/v1/sign-in/password', body: { login, password } });

  test('answers the same for a wrong password and an account that there is not', async () => {
    const person = await member();
    const wrong = await attempt(person, person.login, 'not the password');
    const unknown = await attempt(person, 'nobody@acme.example', 'not the password');
    const without = ({ json, status }: HttpAnswer) => [status, { ...json, requestId: '' }];
    expect(without(wrong)).toEqual(without(unknown));
    expectProblem(wrong, 401, 'sign_in_failed');
  });

  test('gets slower for an account, whether it is there or not, and opens again', async () => {
    for (const login of [(await member()).login, 'ghost@acme.example']) {
      later(LIMITS.signInForgetMs);
      const person = new SignedInPerson(served, login, 'x');
      for (let failures = 0; failures <= LIMITS.signInFreeFailures; failures += 1) {
        expectProblem(await attempt(person, login, 'wrong'), 401, 'sign_in_failed');
      }
      const refused = await attempt(person, login, 'wrong');
      expectProblem(refused, 429, 'too_many_attempts');
      expect(Number(refused.headers['retry-after'])).toBe(1);
      later(1000);
      expectProblem(await attempt(person, login, 'wrong'), 401, 'sign_in_failed');
      expectProblem(await attempt(person, login, 'wrong'), 429, 'too_many_attempts');
    }
    later(LIMITS.signInForgetMs);
  });

  test('with an authenticator app wants a code, which works once', async () => {
    const person = await member();
    await person.addTotp();
    const { login, password } = person;
    const owed = await person.post('/v1/sign-in/password', { login, password });
    expect(owed.json).toMatchObject({ state: 'second_factor', factors: ['totp', 'recovery_code'] });
    expect(owed.headers['set-cookie']).toBeUndefined();
    const code = person.totpCode();
    const ticket = owed.json?.['ticket'];
    expect((await person.post('/v1/sign-in/totp', { ticket, code })).json).toMatchObject({
      state: 'signed_in',
    });
    const again = await person.post('/v1/sign-in/password', { login, password });
    const body = { ticket: again.json?.['ticket'], code };
    expectProblem(
      await person.ask({ method: 'POST', path: '/v1/sign-in/totp', body }),
      401,
      'sign_in_failed',
    );
  });

  test('goes on with a recovery code, once', async () => {
    const person = await member();
    await person.addTotp();
    const { login, password, recoveryCodes } = person;
    expect(recoveryCodes).toHaveLength(LIMITS.recoveryCodes);
    const path = '/v1/sign-in/recovery-code';
    const enter = async () => {
      const { json } = await person.post('/v1/sign-in/password', { login, password });
      return await person.ask({
        method: 'POST',
        path,
        body: { ticket: json?.['ticket'], code: recoveryCodes[0] },
      });
    };
    expect((await enter()).status).toBe(200);
    expect((await person.ask(session)).json).toMatchObject({ recoveryCodesLeft: LIMITS.recoveryCodes - 1 });
    expectProblem(await enter(), 401, 'sign_in_failed');
  });

  test('a ticket ends with its time', async () => {
    const person = await member();
    await person.addTotp();
    const { login, password } = person;
    const { json } = await person.post('/v1/sign-in/password', { login, password });
    later(LIMITS.ceremonyLifetimeMs);
    const body = { ticket: json?.['ticket'], code: person.totpCode() };
    expectProblem(
      await person.ask({ method: 'POST', path: '/v1/sign-in/totp', body }),
      401,
      'sign_in_failed',
    );
  });
});

describe('links', () => {
  test('a reset sets a password once, ends all sessions, and leaves the second factor', async () => {
    const person = await member();
    await person.addTotp();
    const path = `/v1/users/${person.userId}/password-reset`;
    const { json } = await freshly(() => admin.post(path, {}));
    const link = String(json?.['link']);
    expect(link).toMatch(new RegExp(`^${served.origin}/activate#[\\w-]{43}$`));
    const accept = (password: string) => ({
      method: 'POST',
      path: '/v1/invitations/accept',
      body: { token: tokenOf(link), password },
    });
    expectProblem(await person.ask(accept('short')), 422, 'password_unsuitable');
    expect((await person.ask(accept('another long password 88'))).status).toBe(204);
    expectProblem(await person.ask(accept('a third long password 88')), 410, 'link_invalid');
    expectProblem(await person.ask(session), 401, 'not_signed_in');
    const { login } = person;
    const answer = await person.post('/v1/sign-in/password', { login, password: 'another long password 88' });
    expect(answer.json).toMatchObject({ state: 'second_factor' });
  });

  test('an invitation ends with its time', async () => {
    const body = { login: 'late@acme.example', name: 'Late', role: 'tenant_member', tenant: tenantId };
    const { json } = await freshly(() => admin.post('/v1/invitations', body));
    later(LIMITS.activationLifetimeMs);
    const accept = { token: tokenOf(String(json?.['link'])), password: 'a long password indeed 1' };
    const stranger = new SignedInPerson(served, 'x', 'x');
    const answer = await stranger.ask({ method: 'POST', path: '/v1/invitations/accept', body: accept });
    expectProblem(answer, 410, 'link_invalid');
  });
});

describe('what destroys, exports or lets somebody in', () => {
  test('wants a fresh proof, which password or code give', async () => {
    await tenantAdmin.signIn();
    later(LIMITS.freshProofMs);
    const body = { login: 'new@acme.example', name: 'New', role: 'tenant_member' };
    const invite = { method: 'POST', path: '/v1/invitations', body };
    expectProblem(await tenantAdmin.ask(invite), 403, 'fresh_proof_needed');
    const wrong = { method: 'POST', path: '/v1/session/proof', body: { password: 'wrong' } };
    expectProblem(await tenantAdmin.ask(wrong), 401, 'sign_in_failed');
    await tenantAdmin.post('/v1/session/proof', { password: tenantAdmin.password });
    const answer = await tenantAdmin.ask(invite);
    expect(answer.json).toMatchObject({ user: { tenantId, state: 'invited', role: 'tenant_member' } });
  });

  test('the provider does nothing before there is a second factor', async () => {
    const body = { login: 'op@provider.example', name: 'Op', role: 'provider_operator' };
    const { json } = await freshly(() => admin.post('/v1/invitations', body));
    const operator = new SignedInPerson(served, body.login, 'a long password for op 3');
    const accept = { token: tokenOf(String(json?.['link'])), password: operator.password };
    await operator.post('/v1/invitations/accept', accept, 204);
    await operator.signIn();
    expect((await operator.ask(session)).json).toMatchObject({ needsSecondFactor: true });
    expectProblem(await operator.ask({ method: 'GET', path: '/v1/users' }), 403, 'second_factor_needed');
    await operator.addTotp();
    expect((await operator.ask({ method: 'GET', path: '/v1/users' })).status).toBe(200);
    expectProblem(await operator.ask({ method: 'POST', path: '/v1/invitations', body }), 403, 'forbidden');
  });
});

describe('API tokens', () => {
  const inDays = (days: number) => new Date(served.time.nowMs + days * 86_400_000).toISOString();

  test('do what their scopes name, for as long as they last, and nothing that wants a proof', async () => {
    await tenantAdmin.signIn();
    const body = { name: 'script', scopes: ['audit.read', 'users.manage'], expires: inDays(2) };
    const { json } = await tenantAdmin.post('/v1/api-tokens', body);
    const { secret, token } = json as { secret: string; token: { tokenId: string } };
    const headers = { authorization: `Bearer ${secret}` };
    const asToken = (method: string, path: string, content?: object) =>
      ask(served.origin, { method, path, headers, body: content });
    expect((await asToken('GET', '/v1/audit')).status).toBe(200);
    expectProblem(await asToken('GET', '/v1/users'), 403, 'forbidden');
    const invite = { login: 'y@acme.example', name: 'Y', role: 'tenant_member' };
    expectProblem(await asToken('POST', '/v1/invitations', invite), 403, 'fresh_proof_needed');
    expectProblem(await asToken('GET', '/v1/api-tokens'), 403, 'forbidden');
    expect((await asToken('GET', '/v1/session')).json).toMatchObject({
      permissions: ['audit.read', 'users.manage'],
    });
    later(2 * 86_400_000);
    expectProblem(await asToken('GET', '/v1/audit'), 401, 'not_signed_in');
    await tenantAdmin.signIn();
    expect(
      (await tenantAdmin.ask({ method: 'DELETE', path: `/v1/api-tokens/${token.tokenId}` })).status,
    ).toBe(204);
  });

  test('have no scope that their person has not, and an end', async () => {
    await tenantAdmin.signIn();
    const create = (body: object) => tenantAdmin.ask({ method: 'POST', path: '/v1/api-tokens', body });
    const scopes = [...PERMISSIONS];
    expectProblem(await create({ name: 'x', scopes, expires: inDays(1) }), 403, 'forbidden');
    const some = ['audit.read'];
    expectProblem(await create({ name: 'x', scopes: some, expires: inDays(400) }), 400, 'invalid_request');
    expectProblem(await create({ name: 'x', scopes: some, expires: inDays(0) }), 400, 'invalid_request');
  });

  test('end when they are revoked', async () => {
    await tenantAdmin.signIn();
    const body = { name: 'script', scopes: ['audit.read'], expires: inDays(1) };
    const { json } = await tenantAdmin.post('/v1/api-tokens', body);
    const { secret, token } = json as { secret: string; token: { tokenId: string } };
    await tenantAdmin.ask({ method: 'DELETE', path: `/v1/api-tokens/${token.tokenId}` });
    const headers = { authorization: `Bearer ${secret}` };
    expectProblem(await ask(served.origin, { ...session, headers }), 401, 'not_signed_in');
  });
});

test('an authenticator app is added with a code of it only, and once', async () => {
  const person = await member();
  const { json } = await person.post('/v1/session/totp');
  const wrong = codeOf(String(json?.['secret']), served.time.nowMs - 3_600_000);
  const confirm = { method: 'PUT', path: '/v1/session/totp', body: { code: wrong } };
  expectProblem(await person.ask(confirm), 422, 'code_wrong');
  expect((await person.ask(session)).json).toMatchObject({ hasTotp: false });
  await person.addTotp();
  expectProblem(await person.ask({ method: 'POST', path: '/v1/session/totp' }), 409, 'already_exists');
});

test('a changed password ends the other sessions and keeps this one', async () => {
  const person = await member();
  const elsewhere = person.cookie;
  await person.signIn();
  const body = { current: person.password, next: 'seven green umbrellas sing' };
  expect((await person.ask({ method: 'PUT', path: '/v1/session/password', body })).status).toBe(204);
  expect((await person.ask(session)).status).toBe(200);
  person.cookie = elsewhere;
  expectProblem(await person.ask(session), 401, 'not_signed_in');
});
