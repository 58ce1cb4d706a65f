import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { selfSignedCertificate } from '../../../../test/builders/self-signed-certificate.ts';
import { createServerClient } from './http-client.ts';
import { proxyFor } from './proxy-tunnel.ts';
import type { ServerClient } from './server-client.ts';

const PROXY = 'http://proxy.example:3128';

test.each([
  ['https://backup.example', { HTTPS_PROXY: PROXY }, true],
  ['https://backup.example', { https_proxy: PROXY, HTTPS_PROXY: '' }, true],
  ['https://backup.example', { https_proxy: '', HTTPS_PROXY: PROXY }, false],
  ['https://backup.example', {}, false],
  ['https://backup.example', { HTTPS_PROXY: PROXY, NO_PROXY: 'other.example,backup.example' }, false],
  ['https://backup.example', { HTTPS_PROXY: PROXY, NO_PROXY: '.example' }, false],
  ['https://backup.example', { HTTPS_PROXY: PROXY, NO_PROXY: 'up.example' }, true],
  ['https://backup.example', { HTTPS_PROXY: PROXY, no_proxy: '*' }, false],
  ['http://127.0.0.1:8080', { HTTPS_PROXY: PROXY }, false],
])('%s with %j goes through the proxy: %s', (address, environment, isProxied) => {
  expect(proxyFor(address, environment)?.href ?? null).toBe(isProxied ? `${PROXY}/` : null);
});

const certificate = selfSignedCertificate();
let server: Server;
let proxy: Server;
let client: ServerClient | null;
const asked: string[] = [];
const sockets = new Set<Socket>();

async function listen(target: Server): Promise<number> {
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  return (target.address() as AddressInfo).port;
}

beforeEach(() => {
  client = null;
  asked.length = 0;
  const files = { cert: certificate.certificate, key: certificate.key };
  server = createTlsServer(files, (_, response) => response.end('{"authorityKey":null,"roster":null}'));
  proxy = createServer();
});
afterEach(async () => {
  await client?.close();
  for (const socket of sockets) socket.destroy();
  server.close();
  proxy.close();
  vi.unstubAllEnvs();
});

async function clientThroughProxy(): Promise<ServerClient> {
  const [port, proxyPort] = [await listen(server), await listen(proxy)];
  vi.stubEnv('https_proxy', `http://ana:secret@127.0.0.1:${proxyPort}`);
  vi.stubEnv('no_proxy', '');
  const address = `https://backup.example:${port}`;
  client = createServerClient(
    { address, certificatePin: certificate.pin, credential: null },
    { awayMsMax: 300 },
  );
  return client;
}

test('requests travel through the tunnel, and the certificate is still the pinned one', async () => {
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
    const inner = connect(Number(request.url?.split(':')[1]), '127.0.0.1');
    for (const end of [socket, inner]) {
      sockets.add(end);
      end.on('error', () => undefined);
    }
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.pipe(inner).pipe(socket);
  });
  const through = await clientThroughProxy();
  expect(await through.trust()).toEqual({ authorityKey: null, roster: null });
  const credentials = Buffer.from('ana:secret').toString('base64');
  expect(asked[0]).toMatch(new RegExp(`^backup\\.example:\\d+ Basic ${credentials}$`));
});

test('a proxy that refuses is told as what stands in the way', async () => {
  proxy.on('connect', (_, socket: Socket) =>
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
  );
  const through = await clientThroughProxy();
  await expect(through.trust()).rejects.toThrow(/the proxy 127\.0\.0\.1:\d+ answers with 407/);
});
