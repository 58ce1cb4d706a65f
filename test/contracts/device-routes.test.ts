import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newRandomId, type ChunkId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { decodeFrameHeader, FRAME_HEADER_BYTES } from '@cofre/shared/wire/chunk-frames';
import { problem } from '@cofre/shared/wire/problem';
import { ask, type HttpAnswer, type HttpQuestion } from '../builders/http-client.ts';
import {
  credentialOf,
  enrolDevice,
  enrolmentBody,
  serveApp,
  type EnrolledDevice,
  type ServedApp,
} from '../builders/served-app.ts';
import { MemoryVaults, type MemoryVault } from '../fakes/memory-vaults.ts';

/** The wire's contract over real HTTP, with a vault in memory behind it: what the routes take, refuse and answer. */

let served: ServedApp;
let device: EnrolledDevice;
let vault: MemoryVault;
const vaults = new MemoryVaults();

beforeAll(async () => {
  served = await serveApp(vaults);
});

afterAll(async () => {
  await served.close();
});

let tenantCount = 0;
beforeEach(async () => {
  const name = `tenant ${(tenantCount += 1)}`;
  await served.administration.createTenant({ name, modules: 2 });
  device = await enrolDevice(served, name);
  vault = await vaults.open(device.tenantId);
});

afterEach(() => {
  served.log.lines.length = 0;
});

/** Asks with the device's credential. */
function asDevice(question: HttpQuestion): Promise<HttpAnswer> {
  return ask(served.origin, { ...question, headers: { ...device.credential, ...question.headers } });
}

function expectProblem(answer: HttpAnswer, status: number, code: string): void {
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(problem.parse(answer.json)).toMatchObject({ code, requestId: answer.headers['x-request-id'] });
  expect(answer.status).toBe(status);
}

async function openSession(): Promise<string> {
  const body = { operationId: newRandomId(), domainId: newRandomId(), setId: newRandomId() };
  const answer = await asDevice({ method: 'POST', path: '/v1/sessions', body });
  expect(answer.status).toBe(200);
  return String(answer.json?.['sessionId']);
}

const packPath = (session: string) => `/v1/sessions/${session}/packs/${newRandomId()}`;

test('a device that enrolled asks who it is', async () => {
  const answer = await asDevice({ method: 'GET', path: '/v1/device' });
  expect(answer.status).toBe(200);
  expect(answer.json).toMatchObject({
    tenantId: device.tenantId,
    deviceId: device.deviceId,
    deviceName: 'notebook',
    isSuspended: false,
    quotaBytes: 2 * LIMITS.quotaModuleBytes,
    usedBytes: 0,
    serviceTime: '2026-03-04T05:06:07.000Z',
  });
});

test('enrolling twice with the same keys gives the same device, and with others is refused', async () => {
  const { line } = await served.administration.invite(device.tenantId);
  const enrol = (secret: Buffer) =>
    ask(served.origin, { method: 'POST', path: '/v1/enroll', body: enrolmentBody(line, secret) });
  const secret = randomBytes(32);
  const first = await enrol(secret);
  expect(first.json).toMatchObject({ tenantId: device.tenantId, hasAuthority: false });
  expect((await enrol(secret)).json).toEqual(first.json);
  expectProblem(await enrol(randomBytes(32)), 409, 'enrolment_code_used');
});

test('an invitation ends with its lifetime', async () => {
  const { line } = await served.administration.invite(device.tenantId);
  const startMs = served.time.nowMs;
  try {
    served.time.nowMs += LIMITS.invitationLifetimeMs;
    const body = enrolmentBody(line, randomBytes(32));
    expectProblem(
      await ask(served.origin, { method: 'POST', path: '/v1/enroll', body }),
      410,
      'enrolment_code_expired',
    );
  } finally {
    served.time.nowMs = startMs;
  }
});

test('a code that nobody gave out is unknown', async () => {
  const { line } = await served.administration.invite(device.tenantId);
  const body = { ...enrolmentBody(line, randomBytes(32)), code: 'a'.repeat(32) };
  const answer = await ask(served.origin, { method: 'POST', path: '/v1/enroll', body });
  expectProblem(answer, 404, 'enrolment_code_unknown');
});

test.each([
  ['no credential', () => ({})],
  ['another scheme', () => ({ authorization: 'Bearer x' })],
  ['the secret of nobody', () => credentialOf(device.deviceId, randomBytes(32))],
  ['a device that is not there', () => credentialOf(newRandomId(), randomBytes(32))],
])('%s is not authenticated', async (_, headers: () => Record<string, string>) => {
  const answer = await ask(served.origin, { method: 'GET', path: '/v1/device', headers: headers() });
  expectProblem(answer, 401, 'unauthenticated');
});

test('a revoked device is told so, and a stranger who names it is not', async () => {
  await served.administration.revokeDevice(device.tenantId, device.deviceId);
  expectProblem(await asDevice({ method: 'GET', path: '/v1/device' }), 403, 'device_revoked');
  const headers = credentialOf(device.deviceId, randomBytes(32));
  expectProblem(
    await ask(served.origin, { method: 'GET', path: '/v1/device', headers }),
    401,
    'unauthenticated',
  );
});

test('trust is put and read back as the same bytes', async () => {
  const body = { authorityKey: 'a'.repeat(64), roster: randomBytes(100).toString('base64') };
  expect((await asDevice({ method: 'PUT', path: '/v1/trust', body })).status).toBe(204);
  expect((await asDevice({ method: 'GET', path: '/v1/trust' })).json).toEqual(body);
});

function putRoster(bytes: number): Promise<HttpAnswer> {
  const roster = Buffer.alloc(bytes, 7).toString('base64');
  return asDevice({ method: 'PUT', path: '/v1/trust', body: { authorityKey: 'a'.repeat(64), roster } });
}

test('a roster of the largest size is taken, and one byte more is refused', async () => {
  expect((await putRoster(LIMITS.objectBytesMax)).status).toBe(204);
  expectProblem(await putRoster(LIMITS.objectBytesMax + 3), 400, 'invalid_request');
});

test('an object is kept and found by what it is of', async () => {
  const object = randomBytes(200);
  const path = '/v1/objects/keyring';
  expect((await asDevice({ method: 'POST', path, body: object })).json).toEqual({ number: 1 });
  const found = await asDevice({ method: 'GET', path: `${path}?period=${object.toString('hex', 0, 16)}` });
  expect(found.json).toEqual({ number: 1, object: object.toString('base64') });
  expectProblem(await asDevice({ method: 'GET', path }), 400, 'invalid_request');
  const unknown = await asDevice({ method: 'GET', path: `${path}?period=${newRandomId()}` });
  expectProblem(unknown, 404, 'not_found');
});

test('a read grant lets the device see the others of its tenant until it ends', async () => {
  const other = await enrolDevice(served, device.tenantId, { name: 'desktop' });
  const list = async () => (await asDevice({ method: 'GET', path: '/v1/devices' })).json?.['items'];
  expect(await list()).toMatchObject([{ deviceId: device.deviceId }]);
  const forged = await asDevice({ method: 'POST', path: '/v1/read-grants', body: Buffer.from('forged') });
  expectProblem(forged, 409, 'untrusted');
  expect(await list()).toHaveLength(1);
  const granted = await asDevice({ method: 'POST', path: '/v1/read-grants', body: Buffer.from('genuine') });
  expect(granted.status).toBe(200);
  const visible = (await list()) as { deviceId: string }[];
  expect(new Set(visible.map(({ deviceId }) => deviceId))).toEqual(
    new Set([device.deviceId, other.deviceId]),
  );
  served.time.nowMs = Date.parse(String(granted.json?.['expires']));
  expect(await list()).toHaveLength(1);
  served.time.nowMs = Date.parse('2026-03-04T05:06:07Z');
});

test('a pack arrives whole', async () => {
  const pack = randomBytes(3_000_000);
  const path = packPath(await openSession());
  const answer = await asDevice({ method: 'PUT', path, body: pack });
  expect(answer.json).toEqual({ packNumber: 1, blobs: 1, duplicates: 0, healed: 0 });
  expect([...vault.packs.values()].at(-1)?.equals(pack)).toBe(true);
});

test('a pack that is refused at its beginning is answered, though the rest is still coming', async () => {
  const body = Buffer.concat([Buffer.from('bad'), randomBytes(8_000_000)]);
  const path = packPath(await openSession());
  expectProblem(await asDevice({ method: 'PUT', path, body }), 422, 'pack_invalid');
});

test('a pack needs a length, and one that is allowed', async () => {
  const path = packPath(await openSession());
  const chunked = { 'transfer-encoding': 'chunked' };
  expectProblem(await asDevice({ method: 'PUT', path, headers: chunked }), 400, 'invalid_request');
  const large = { 'content-length': String(LIMITS.packBytesMax + 1), expect: '100-continue' };
  const answer = await rawAnswer([
    `PUT ${path} HTTP/1.1`,
    'host: x',
    `authorization: ${device.credential.authorization}`,
    ...Object.entries(large).map(([name, value]) => `${name}: ${value}`),
  ]);
  expect(answer).toMatch(/^HTTP\/1.1 (100|413)/);
  expect(answer).toContain('"code":"too_large"');
});

test('a pack that is cut off is stored nowhere', async () => {
  const path = packPath(await openSession());
  const socket = connect(Number(new URL(served.origin).port), '127.0.0.1');
  const head = [
    `PUT ${path} HTTP/1.1`,
    'host: x',
    'content-length: 1000',
    `authorization: ${device.credential.authorization}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${'x'.repeat(500)}`);
  socket.end();
  const isOver = () => JSON.stringify(served.log.lines).includes('/packs/');
  await expect.poll(isOver).toBe(true);
  expect(vault.packs.size).toBe(0);
  expect(served.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

test('have answers one byte an id', async () => {
  const known = randomBytes(32);
  vault.chunks.set(known.toString('hex') as ChunkId, Buffer.from('blob'));
  const path = `/v1/sessions/${await openSession()}/have`;
  const answer = await asDevice({ method: 'POST', path, body: Buffer.concat([randomBytes(32), known]) });
  expect(answer.headers['content-type']).toBe('application/octet-stream');
  expect([...answer.body]).toEqual([0, 1]);
  expectProblem(await asDevice({ method: 'POST', path, body: randomBytes(33) }), 400, 'invalid_request');
  const tooMany = Buffer.alloc(32 * (LIMITS.haveIdsMax + 1));
  expectProblem(await asDevice({ method: 'POST', path, body: tooMany }), 413, 'too_large');
});

test('have says 2 of what was not verified within the time that is asked for', async () => {
  const ids = [randomBytes(32), randomBytes(32), randomBytes(32)] as const;
  for (const id of ids.slice(1)) vault.chunks.set(id.toString('hex') as ChunkId, Buffer.from('blob'));
  vault.verifiedAgoMs.set(ids[2].toString('hex') as ChunkId, 5_000);
  const path = `/v1/sessions/${await openSession()}/have`;
  const flagsOf = async (query: string) => {
    const answer = await asDevice({ method: 'POST', path: `${path}${query}`, body: Buffer.concat(ids) });
    return answer.status === 200 ? [...answer.body] : answer.status;
  };
  expect(await flagsOf('')).toEqual([0, 1, 1]);
  expect(await flagsOf('?verifiedWithinMs=5000')).toEqual([0, 2, 1]);
  expect(await flagsOf('?verifiedWithinMs=4999')).toEqual([0, 2, 2]);
  expect(await flagsOf(`?verifiedWithinMs=${LIMITS.verifiedWithinMaxMs + 1}`)).toBe(400);
  expect(await flagsOf('?verifiedWithinMs=soon')).toBe(400);
});

test('refs go in parts, and a commit makes a snapshot that is listed', async () => {
  const session = `/v1/sessions/${await openSession()}`;
  const refs = await asDevice({ method: 'PUT', path: `${session}/refs/0?mode=add`, body: randomBytes(64) });
  expect(refs.json).toEqual({ ids: 2 });
  const manifest = randomBytes(LIMITS.manifestBytesMax).toString('base64');
  const body = { manifest, refs: 'full' };
  const committed = await asDevice({ method: 'POST', path: `${session}/commit`, body });
  expect(committed.json).toMatchObject({ number: 1, snapshotId: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(committed.json).not.toHaveProperty('status');
  const page = await asDevice({ method: 'GET', path: '/v1/snapshots' });
  expect(page.json).toMatchObject({ items: [{ number: 1, manifest }], next: null });
});

test('a commit that lacks chunks names them', async () => {
  vault.missing = ['c'.repeat(64) as ChunkId];
  const path = `/v1/sessions/${await openSession()}/commit`;
  const answer = await asDevice({ method: 'POST', path, body: { manifest: 'AAAA', refs: 'delta' } });
  expectProblem(answer, 409, 'missing_chunks');
  expect(answer.json).toMatchObject({ missing: vault.missing, parameters: { count: 1 }, retryable: true });
});

test('a session is renewed and ended', async () => {
  const path = `/v1/sessions/${await openSession()}`;
  expect((await asDevice({ method: 'POST', path: `${path}/renew` })).json).toEqual({ leaseMs: 1000 });
  expect((await asDevice({ method: 'DELETE', path })).status).toBe(204);
  expectProblem(await asDevice({ method: 'POST', path: `${path}/renew` }), 404, 'not_found');
});

describe.each([
  ['suspended', (tenant: string) => served.administration.tenants.suspend(tenant)],
  ['to be deleted', (tenant: string) => served.administration.tenants.scheduleDeletion(tenant, { days: 9 })],
])('a tenant that is %s', (_, change: (tenant: string) => Promise<unknown>) => {
  beforeEach(async () => {
    await change(device.tenantId);
  });

  const session = `/v1/sessions/${newRandomId()}`;
  test.each<HttpQuestion>([
    { method: 'POST', path: '/v1/sessions', body: {} },
    { method: 'POST', path: `${session}/renew` },
    { method: 'POST', path: `${session}/have`, body: randomBytes(32) },
    { method: 'PUT', path: `${session}/packs/${newRandomId()}`, body: randomBytes(10) },
    { method: 'PUT', path: `${session}/refs/0?mode=add`, body: randomBytes(32) },
    { method: 'POST', path: `${session}/commit`, body: {} },
    { method: 'POST', path: '/v1/objects/keyring', body: randomBytes(200) },
  ])('brings nothing new: $method $path', async (question) => {
    expectProblem(await asDevice(question), 403, 'tenant_suspended');
  });

  test('is restored, on a new computer too', async () => {
    expect((await asDevice({ method: 'GET', path: '/v1/device' })).json).toMatchObject({ isSuspended: true });
    device = await enrolDevice(served, device.tenantId);
    const object = randomBytes(200);
    const body = { authorityKey: 'a'.repeat(64), roster: randomBytes(100).toString('base64') };
    expect((await asDevice({ method: 'PUT', path: '/v1/trust', body })).status).toBe(204);
    expect((await asDevice({ method: 'POST', path: '/v1/objects/domain', body: object })).status).toBe(200);
    const grant = { method: 'POST', path: '/v1/read-grants', body: Buffer.from('genuine') };
    expect((await asDevice(grant)).status).toBe(200);
    expect((await asDevice({ method: 'GET', path: '/v1/snapshots' })).status).toBe(200);
    const path = `/v1/domains/${newRandomId()}/chunks/read`;
    expect((await asDevice({ method: 'POST', path, body: Buffer.alloc(0) })).status).toBe(200);
  });

  test('ends a session that it had', async () => {
    await served.administration.tenants.resume(device.tenantId);
    await served.administration.tenants.keep(device.tenantId);
    const id = await openSession();
    await change(device.tenantId);
    expect((await asDevice({ method: 'DELETE', path: `/v1/sessions/${id}` })).status).toBe(204);
  });
});

test('a device is told how full the quota is', async () => {
  const status = async () => (await asDevice({ method: 'GET', path: '/v1/device' })).json;
  expect(await status()).toMatchObject({ quotaWarning: null });
  vault.usedBytes = 1.7 * LIMITS.quotaModuleBytes;
  expect(await status()).toMatchObject({ quotaWarning: { percent: 80, since: '2026-03-04T05:06:07.000Z' } });
});

test('chunks are read in the order in which they were asked for', async () => {
  const ids = [randomBytes(32), randomBytes(32), randomBytes(32)];
  const [first, absent, last] = ids.map((id) => id.toString('hex') as ChunkId);
  vault.chunks.set(first as ChunkId, Buffer.from('first blob'));
  vault.chunks.set(last as ChunkId, Buffer.alloc(3_000_000, 'z'));
  const path = `/v1/domains/${newRandomId()}/chunks/read`;
  const { body } = await asDevice({ method: 'POST', path, body: Buffer.concat(ids) });
  const frames = splitFrames(body);
  expect(frames.map(({ status }) => status)).toEqual(['found', 'missing', 'found', 'end']);
  expect(frames.slice(0, 3).map(({ chunkId }) => chunkId)).toEqual([first, absent, last]);
  expect(frames[2]?.length).toBe(3_000_000);
});

function splitFrames(body: Buffer) {
  const frames = [];
  for (let offset = 0; offset < body.length;) {
    const header = decodeFrameHeader(body.subarray(offset, offset + FRAME_HEADER_BYTES));
    frames.push(header);
    offset += FRAME_HEADER_BYTES + (header.status === 'found' ? header.length : 0);
  }
  return frames;
}

test('a reader who goes away stops the reading', async () => {
  const ids = Array.from({ length: 100 }, () => randomBytes(32));
  for (const id of ids) vault.chunks.set(id.toString('hex') as ChunkId, Buffer.alloc(4_000_000));
  const head = [
    `POST /v1/domains/${newRandomId()}/chunks/read HTTP/1.1`,
    'host: x',
    `content-length: ${32 * ids.length}`,
    `authorization: ${device.credential.authorization}`,
  ];
  const socket = connect(Number(new URL(served.origin).port), '127.0.0.1');
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.write(Buffer.concat(ids));
  await new Promise((resolve) => socket.once('readable', resolve));
  expect(vault.readsStopped).toBe(0);
  socket.destroy();
  await expect.poll(() => vault.readsStopped).toBe(1);
});

test.each([
  ['an unknown address', 'GET', '/v1/nothing', 404, 'not_found'],
  ['an unknown method', 'PATCH', '/v1/trust', 404, 'not_found'],
  ['an id that is none', 'POST', '/v1/sessions/xyz/renew', 400, 'invalid_request'],
  ['a page that is too long', 'GET', '/v1/snapshots?limit=100000', 400, 'invalid_request'],
  ['an unknown kind of object', 'GET', '/v1/objects/secret', 400, 'invalid_request'],
])('%s is a problem', async (_, method, path, status, code) => {
  expectProblem(await asDevice({ method, path }), status, code);
});

test.each([
  ['no JSON', '{', { 'content-type': 'application/json' }, 400, 'invalid_request'],
  ['JSON that does not say so', '{}', {}, 400, 'invalid_request'],
  ['JSON of another shape', '[]', { 'content-type': 'application/json' }, 400, 'invalid_request'],
  ['too much JSON', ' '.repeat(300_000), { 'content-type': 'application/json' }, 413, 'too_large'],
])('a body that is %s is a problem', async (_, body, headers: Record<string, string>, status, code) => {
  expectProblem(await asDevice({ method: 'POST', path: '/v1/sessions', body, headers }), status, code);
});

function inLanguage(language: string): Promise<HttpAnswer> {
  return asDevice({ method: 'GET', path: '/v1/nothing', headers: { 'accept-language': language } });
}

test('problems come in the language that is asked for', async () => {
  expect((await inLanguage('es-AR,es;q=0.9,en;q=0.8')).json?.['message']).toMatch(/^No existe/);
  expect((await inLanguage('fr, en')).json?.['message']).toMatch(/^There is no/);
});

test('what fails inside tells the client a request id and nothing else', async () => {
  vault.statistics = () => Promise.reject(new Error('secret detail'));
  const answer = await asDevice({ method: 'GET', path: '/v1/device' });
  expectProblem(answer, 500, 'internal');
  expect(answer.body.toString()).not.toContain('secret detail');
  const error = served.log.lines.find(({ level }) => level === 'error');
  expect(error?.fields).toMatchObject({ requestId: answer.headers['x-request-id'] });
  expect(JSON.stringify(error)).toContain('secret detail');
});

test('the log has one line a request, with the pattern of its route and no secret', async () => {
  await asDevice({ method: 'POST', path: `/v1/sessions/${await openSession()}/renew` });
  // The device enrolled, opened a session and renewed it.
  await expect.poll(() => served.log.lines).toHaveLength(3);
  const line = served.log.lines.at(-1);
  expect(line?.fields).toMatchObject({
    method: 'POST',
    route: '/v1/sessions/:id/renew',
    status: 200,
    tenantId: device.tenantId,
    deviceId: device.deviceId,
  });
  expect(JSON.stringify(served.log.lines)).not.toContain(device.credential.authorization.split('.')[1]);
});

test('the API describes itself', async () => {
  const { json } = await ask(served.origin, { method: 'GET', path: '/openapi.json' });
  expect(Object.keys(json?.['paths'] as object)).toContain('/v1/sessions/{id}/packs/{operationId}');
});

/** Everything that the server sends to a raw request without a body, until it closes or the answer is a problem. */
async function rawAnswer(head: string[]): Promise<string> {
  const socket = connect(Number(new URL(served.origin).port), '127.0.0.1');
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  let answer = '';
  for await (const data of socket) {
    answer += String(data);
    if (answer.includes('"code"')) break;
  }
  return answer;
}
