import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newRandomId, type ChunkId, type TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { AuditEntry } from '@cofre/shared/wire/audit';
import { ask } from '../builders/http-client.ts';
import { enrolDevice, serveApp, type ServedApp } from '../builders/served-app.ts';
import { firstAdmin, invitedPerson, SignedInPerson, tokenOf } from '../builders/signed-in-person.ts';
import { MemoryVaults } from '../fakes/memory-vaults.ts';

/** What the audit log says, to whom, and that nothing secret is in it, nor in the log of the server. */

let served: ServedApp;
let admin: SignedInPerson;
let tenantId: TenantId;
let tenantAdmin: SignedInPerson;
const vaults = new MemoryVaults();

beforeAll(async () => {
  served = await serveApp(vaults);
  admin = await firstAdmin(served);
  tenantId = (await served.administration.createTenant({ name: 'Acme', modules: 1 })).tenantId;
  tenantAdmin = await invitedPerson(served, admin, { login: 'ana', role: 'tenant_admin', tenant: tenantId });
});

afterAll(() => served.close());

async function entriesOf(person: SignedInPerson, query = ''): Promise<AuditEntry[]> {
  const { json } = await person.ask({ method: 'GET', path: `/v1/audit${query}` });
  return json?.['items'] as AuditEntry[];
}

const actionsOf = (entries: AuditEntry[]) => entries.map(({ action }) => action);

test('a tenant reads its part: what it did, what was done for it, and each look of the provider', async () => {
  await admin.ask({ method: 'GET', path: `/v1/users?tenant=${tenantId}` });
  await admin.ask({ method: 'GET', path: `/v1/users?tenant=${tenantId}` });
  await served.administration.statistics(null);
  const entries = await entriesOf(tenantAdmin);
  expect(actionsOf(entries)).toEqual([
    'tenant.created',
    'user.invited',
    'user.activated',
    'sign_in.succeeded',
    'tenant.looked_at',
    'tenant.looked_at',
  ]);
  expect(entries.map(({ tenantId: whose }) => whose)).toEqual(entries.map(() => tenantId));
  expect(entries[1]).toMatchObject({
    actor: { kind: 'person', id: admin.userId, name: admin.login, role: 'provider_admin' },
    target: tenantAdmin.userId,
    details: { role: 'tenant_admin' },
    address: '127.0.0.1',
    requestId: expect.stringMatching(/^[\w-]{8,}$/),
  });
  expect(entries[4]).toMatchObject({ actor: { name: admin.login }, details: { what: 'people' } });
  expect(entries[5]).toMatchObject({ actor: { kind: 'host' }, details: { what: 'statistics' } });
});

test('the same look is written down again after its time', async () => {
  const before = (await entriesOf(tenantAdmin)).length;
  served.time.nowMs += LIMITS.auditLookMs;
  await admin.signIn();
  await tenantAdmin.signIn();
  await admin.ask({ method: 'GET', path: `/v1/users?tenant=${tenantId}` });
  const after = await entriesOf(tenantAdmin);
  expect(actionsOf(after.slice(before))).toEqual(['sign_in.succeeded', 'tenant.looked_at']);
});

test('devices: who joined, who was trusted, who reads, once for a run', async () => {
  const before = (await entriesOf(tenantAdmin)).length;
  const device = await enrolDevice(served, tenantId);
  const asDevice = (method: string, path: string, body: Buffer | object) =>
    ask(served.origin, { method, path, body, headers: device.credential });
  const trust = { authorityKey: 'a'.repeat(64), roster: 'AAAA' };
  await asDevice('PUT', '/v1/trust', trust);
  await asDevice('POST', '/v1/read-grants', Buffer.from('forged'));
  await asDevice('POST', '/v1/read-grants', Buffer.from('genuine'));
  const chunk = randomBytes(32);
  const vault = await vaults.open(tenantId);
  vault.chunks.set(chunk.toString('hex') as ChunkId, Buffer.from('blob'));
  const path = `/v1/domains/${newRandomId()}/chunks/read`;
  for (let requests = 0; requests < 3; requests += 1)
    expect((await asDevice('POST', path, chunk)).status).toBe(200);
  await served.administration.revokeDevice(tenantId, device.deviceId);
  const entries = (await entriesOf(tenantAdmin)).slice(before);
  expect(actionsOf(entries)).toEqual([
    'device.invited',
    'device.enrolled',
    'keys.roster_put',
    'keys.read_grant_shown',
    'content.read',
    'device.revoked',
  ]);
  for (const entry of entries.slice(1)) expect(entry.target).toBe(device.deviceId);
  expect(entries[4]).toMatchObject({ actor: { kind: 'device' }, details: { reads: 'whole tenant' } });
});

test('a sign-in that failed is in the log, without what was typed', async () => {
  const stranger = new SignedInPerson(served, 'ana', 'x');
  const body = { login: 'ana', password: 'a password of another site' };
  await stranger.ask({ method: 'POST', path: '/v1/sign-in/password', body });
  await stranger.ask({
    method: 'POST',
    path: '/v1/sign-in/password',
    body: { ...body, login: 'my-password-typed-here' },
  });
  const known = (await entriesOf(tenantAdmin)).at(-1);
  expect(known).toMatchObject({
    action: 'sign_in.failed',
    actor: { kind: 'nobody' },
    target: tenantAdmin.userId,
  });
  expect((await entriesOf(admin)).at(-1)).toMatchObject({ action: 'sign_in.failed', target: null });
});

test('the whole chain goes to who exports it, and holds; a head of another chain is found', async () => {
  const answer = await admin.ask({ method: 'GET', path: '/v1/audit/export' });
  const entries = answer.body
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEntry);
  expect(entries.map(({ number }) => number)).toEqual(entries.map((_, index) => index + 1));
  for (const [index, { previous }] of entries.slice(1).entries()) expect(previous).toBe(entries[index]?.hash);
  const { head, broken } = await served.administration.people.verifyAudit(null);
  expect([broken, head.number]).toEqual([null, entries.length]);
  const verify = (number: number, hash: string) => served.administration.people.verifyAudit({ number, hash });
  expect((await verify(3, entries[2]?.hash ?? '')).broken).toBeNull();
  expect((await verify(3, 'f'.repeat(64))).broken).toMatchObject({ number: 3 });
  expect((await verify(head.number + 1, 'f'.repeat(64))).broken).toMatchObject({ number: head.number + 1 });
});

test('nothing secret is in the log of the server, nor in the audit log', async () => {
  const start = served.log.lines.length;
  const secrets = [admin, tenantAdmin].flatMap(({ password, totpSecret, recoveryCodes }) => [
    password,
    ...(totpSecret === null ? [] : [totpSecret]),
    ...recoveryCodes,
  ]);
  await tenantAdmin.signIn();
  const invited = await tenantAdmin.post('/v1/invitations', { login: 'b', name: 'B', role: 'tenant_member' });
  secrets.push(tokenOf(String(invited.json?.['link'])));
  const wrong = { token: 'B'.repeat(43), password: 'a password that fails 1' };
  await tenantAdmin.ask({ method: 'POST', path: '/v1/invitations/accept', body: wrong });
  secrets.push(wrong.token, wrong.password);
  const expires = new Date(served.time.nowMs + 1_000_000).toISOString();
  const token = await tenantAdmin.post('/v1/api-tokens', { name: 't', scopes: ['audit.read'], expires });
  const secret = String(token.json?.['secret']);
  await ask(served.origin, {
    method: 'GET',
    path: '/v1/audit',
    headers: { authorization: `Bearer ${secret}` },
  });
  const bad = { authorization: 'Bearer cofre_unknown-secret', cookie: '__Host-cofre=unknown-cookie' };
  await ask(served.origin, { method: 'GET', path: '/v1/audit?x=secret-in-query', headers: bad });
  secrets.push(
    secret,
    'unknown-secret',
    'unknown-cookie',
    'secret-in-query',
    tenantAdmin.cookie?.split('=')[1] ?? '?',
  );
  secrets.push((await enrolDevice(served, tenantId)).credential.authorization.split('.')[1] ?? '?');
  expect(served.log.lines.length).toBeGreaterThan(start + 5);
  expect(secrets.filter((text) => text.length < 10)).toEqual([]);
  const audit = (await admin.ask({ method: 'GET', path: '/v1/audit/export' })).body.toString();
  expect(audit).toContain('api_token.made');
  const logged = JSON.stringify(served.log.lines);
  expect(secrets.filter((text) => logged.includes(text) || audit.includes(text))).toEqual([]);
});
