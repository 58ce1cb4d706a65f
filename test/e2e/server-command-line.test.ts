import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newRandomId } from '@cofre/shared/ids';
import { parseEnrolmentLine } from '@cofre/shared/wire/enrolment-line';
import { ask } from '../builders/http-client.ts';
import { selfSignedCertificate } from '../builders/self-signed-certificate.ts';
import { serveTenant } from '../builders/served-tenant.ts';
import {
  runServerCommand,
  startServerProcess,
  type EndedProcess,
  type ServerProcess,
} from '../builders/server-process.ts';
import { sampleBlob, samplePack } from '../builders/vault-samples.ts';

/** `cofre-server` as an administrator uses it: processes, exit statuses, and what they print. */

let folder: string;
let data: string;
let folders: string[];
let running: ServerProcess | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-server-'));
  data = join(folder, 'data');
  folders = ['--store', join(folder, 'store')];
  running = null;
});

afterEach(async () => {
  await running?.stop('SIGKILL');
  rmSync(folder, { recursive: true });
});

async function serve(...words: string[]): Promise<ServerProcess> {
  running = await startServerProcess(data, [...folders, '--listen', '127.0.0.1:0', ...words]);
  return running;
}

/** A command on the test's folders. */
function command(...words: string[]): Promise<EndedProcess> {
  return runServerCommand([...words, '--data', data, ...folders]);
}

function jsonOf({ stdout }: EndedProcess): Record<string, unknown> {
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Every file below a folder that ends so. */
function filesIn(place: string, ending: string): string[] {
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(place, name));
}

test('serve says where it listens in one line, and ends with 0 when it is told to', async () => {
  const server = await serve();
  expect(server.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await ask(server.origin, { method: 'GET', path: '/readyz' })).status).toBe(200);
  const { status, stdout, stderr } = await server.stop();
  expect(status).toBe(0);
  expect(stdout).toBe(`listening on ${server.origin}\n`);
  for (const line of stderr.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
});

describe.each(['running', 'stopped'])('with the server %s', (state) => {
  beforeEach(async () => {
    const server = await serve();
    if (state === 'stopped') await server.stop();
  });

  test('tenants are made and listed', async () => {
    const made = await command('tenant', 'create', 'Panadería', '--modules', '3', '--json');
    expect(made.status).toBe(0);
    expect(jsonOf(made)).toMatchObject({
      message_type: 'summary',
      tenant_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      name: 'Panadería',
      quota_bytes: 3 * 50 * 1024 * 1024,
    });
    const listed = await command('tenant', 'list', '--json');
    expect(jsonOf(listed)['tenants']).toMatchObject([{ name: 'Panadería', modules: 3, devices: 0 }]);
    expect((await command('tenant', 'list')).stdout).toContain('Panadería');
    const twice = await command('tenant', 'create', 'Panadería', '--modules', '3');
    expect([twice.status, twice.stdout]).toEqual([1, '']);
    expect(twice.stderr).toBe('error: The tenant "Panadería" already exists.\nhint: Choose another name.\n');
  });

  test('an invitation is one line that leads to the server', async () => {
    await command('tenant', 'create', 'One', '--modules', '1');
    const invited = await command('device', 'invite', 'One');
    expect(invited.status).toBe(0);
    expect(invited.stdout).toMatch(/^cofre1:\S+\n$/);
    expect(parseEnrolmentLine(invited.stdout)).toMatchObject({
      address: running?.origin,
      certificatePin: null,
    });
    const other = jsonOf(await command('device', 'invite', 'One', '--json'));
    expect(other['line']).not.toBe(invited.stdout.trim());
    expect(Date.parse(String(other['expires']))).toBeGreaterThan(Date.now());
  });

  test('a tenant that is not there is named, with status 10', async () => {
    for (const words of [['device', 'invite'], ['device', 'list'], ['stats'], ['verify'], ['collect']]) {
      const ended = await command(...words, 'Nobody');
      expect([words, ended.status, ended.stdout]).toEqual([words, 10, '']);
      expect(ended.stderr).toContain('error: There is no tenant "Nobody".');
    }
  });
});

test('a device is listed, revoked and refused, and statistics and verify see its backup', async () => {
  const server = await serve();
  const tenant = await serveTenant(server, 'Shop');
  const { deviceId, tenantId } = tenant.device;
  const name = 'device of Shop';
  expect(jsonOf(await command('device', 'list', 'Shop', '--json'))['devices']).toMatchObject([
    { device_id: deviceId, name, revoked: null },
  ]);
  expect(jsonOf(await command('stats', tenantId, '--json'))['tenants']).toMatchObject([
    { name: 'Shop', packs: 2, snapshots: 1, devices: 1 },
  ]);
  const verified = await command('verify', '--json');
  expect(verified.status).toBe(0);
  expect(jsonOf(verified)).toMatchObject({ tenants: 1, packs: 2, snapshots: 1, findings: [] });
  expect((await command('device', 'revoke', 'Shop', deviceId.slice(0, 8))).status).toBe(0);
  expect((await tenant.ask({ method: 'GET', path: '/v1/device' })).json).toMatchObject({
    code: 'device_revoked',
  });
  expect((await command('device', 'revoke', 'Shop', name)).status).toBe(10);
});

test.each(['running', 'stopped'])('verify with the server %s names damage and ends with 1', async (state) => {
  const server = await serve();
  const tenant = await serveTenant(server, 'Shop');
  for (const file of filesIn(join(folder, 'store'), '.pack')) {
    const content = readFileSync(file);
    const offset = content.indexOf(tenant.blob.bytes.subarray(-64));
    if (offset < 0) continue;
    content.writeUInt8(content.readUInt8(offset) ^ 1, offset);
    writeFileSync(file, content);
  }
  if (state === 'stopped') await server.stop();
  const verified = await command('verify', 'Shop');
  expect(verified.status).toBe(1);
  expect(verified.stdout).toContain(tenant.snapshot.snapshotId);
  const inJson = await command('verify', '--json');
  expect(inJson.status).toBe(1);
  expect(jsonOf(inJson)['findings']).not.toEqual([]);
});

test.each(['running', 'stopped'])('collect with the server %s says what it let go of', async (state) => {
  const server = await serve();
  await serveTenant(server, 'Shop');
  if (state === 'stopped') await server.stop();
  const collected = await command('collect', 'Shop', '--json');
  expect([collected.status, collected.stderr]).toEqual([0, '']);
  expect(jsonOf(collected)).toMatchObject({ tenants: 1, condemned: 0, dropped: 0, failures: [] });
  expect((await command('collect')).stdout).toBe('1 tenants, 0 B of disk are free again\n');
});

test.each([
  [['serve', '--listen', 'nowhere'], 'an address that is none'],
  [['serve', '--listen', '127.0.0.1:99999'], 'a port that is none'],
  [['serve', '--listen', '0.0.0.0:0'], 'plain http for everybody'],
  [['serve', '--listen', '127.0.0.1:0', '--tls-cert', '/dev/null'], 'a certificate without its key'],
  [
    ['serve', '--listen', '127.0.0.1:0', '--tls-cert', '/dev/null', '--tls-key', '/dev/null'],
    'no certificate',
  ],
  [['serve', '--listen', '127.0.0.1:0', '--public-url', 'ftp://x'], 'an address of another kind'],
  [['serve', '--listen', '127.0.0.1:0', '--public-url', 'https://x'], 'https without a certificate'],
])('%j ends with 2: %s', async (words) => {
  const ended = await command(...words);
  expect([ended.status, ended.stdout]).toEqual([2, '']);
  expect(ended.stderr).toMatch(/^(error: |Usage: )/);
});

test('settings come from the environment too, and errors in its language', async () => {
  const environment = { COFRE_DATA: data, COFRE_STORE: join(folder, 'store'), LANG: 'es_AR.UTF-8' };
  const made = await runServerCommand(['tenant', 'create', 'One', '--modules', '1'], environment);
  expect(made.status).toBe(0);
  const ended = await runServerCommand(['device', 'list', 'Nadie', '--json'], environment);
  expect(ended.status).toBe(10);
  expect(ended.stderr).toContain('No existe');
  expect(jsonOf(ended)).toMatchObject({
    message_type: 'error',
    code: 'not_found',
    message: expect.stringContaining('No existe'),
  });
});

test('a second server on the same folders, or on the same port, is refused as busy', async () => {
  const server = await serve();
  const second = await command('serve', '--listen', '127.0.0.1:0');
  expect(second.status).toBe(11);
  const { host } = new URL(server.origin);
  const elsewhere = ['--data', join(folder, 'data2'), '--store', join(folder, 'store2')];
  const samePort = await runServerCommand(['serve', ...elsewhere, '--listen', host]);
  expect(samePort.status).toBe(11);
  expect(samePort.stderr).toContain(host);
});

test('a server that was killed leaves nothing that stands in the way', async () => {
  const server = await serve();
  await command('tenant', 'create', 'One', '--modules', '1');
  await server.stop('SIGKILL');
  expect((await command('tenant', 'list')).stdout).toContain('One');
  await serve();
  expect((await command('tenant', 'list')).stdout).toContain('One');
});

test('the local socket is for the owner only, and goes with the server', async () => {
  const server = await serve();
  const socket = join(data, 'control.sock');
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  await server.stop();
  expect(readdirSync(data)).not.toContain('control.sock');
});

test('a data folder with a path too long for a socket works', async () => {
  data = join(folder, 'long'.repeat(40), 'data');
  await serve();
  expect((await command('tenant', 'create', 'One', '--modules', '1')).status).toBe(0);
  expect((await command('tenant', 'list')).stdout).toContain('One');
});

test('with a certificate only TLS 1.3 is spoken, and invitations pin it', async () => {
  const { certificate, key, pin } = selfSignedCertificate();
  writeFileSync(join(folder, 'cert.pem'), certificate);
  writeFileSync(join(folder, 'key.pem'), key);
  const tls = ['--tls-cert', join(folder, 'cert.pem'), '--tls-key', join(folder, 'key.pem')];
  const server = await serve(...tls, '--public-url', 'https://backup.example:8443');
  expect(server.origin).toMatch(/^https:/);
  await command('tenant', 'create', 'One', '--modules', '1');
  const expected = { address: 'https://backup.example:8443', certificatePin: pin };
  expect(parseEnrolmentLine((await command('device', 'invite', 'One')).stdout)).toMatchObject(expected);
  expect(await tlsVersion(server.origin, 'TLSv1.3')).toBe('TLSv1.3');
  await expect(tlsVersion(server.origin, 'TLSv1.2')).rejects.toThrow(/protocol version/);
  await server.stop();
  expect(parseEnrolmentLine((await command('device', 'invite', 'One')).stdout)).toMatchObject(expected);
});

function tlsVersion(origin: string, maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string | null> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), maxVersion, rejectUnauthorized: false });
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

test('a server that is told to stop finishes the upload that runs, and takes nothing new', async () => {
  const server = await serve();
  const tenant = await serveTenant(server, 'Shop');
  const pack = samplePack([sampleBlob(tenant.device, { sealedLength: 100_000 })]);
  const path = `/v1/sessions/${await tenant.openSession()}/packs/${newRandomId()}`;
  const headers = { ...tenant.enrolled.credential, 'content-length': String(pack.length) };
  const upload = request(new URL(path, server.origin), { method: 'PUT', headers, agent: false });
  const answered = new Promise<string>((resolve, reject) => {
    upload.once('error', reject);
    upload.once('response', (incoming) => {
      text(incoming).then((body) => resolve(`${incoming.statusCode} ${body}`), reject);
    });
  });
  upload.write(pack.subarray(0, 50_000));
  // It has been taken up when another request on the same server has come and gone.
  await ask(server.origin, { method: 'GET', path: '/healthz' });
  const stopped = server.stop();
  await expect
    .poll(() =>
      ask(server.origin, { method: 'GET', path: '/healthz' }).then(
        () => 'open',
        () => 'closed',
      ),
    )
    .toBe('closed');
  upload.end(pack.subarray(50_000));
  expect(await answered).toMatch(/^200 \{"packNumber":3,/);
  expect((await stopped).status).toBe(0);
});
