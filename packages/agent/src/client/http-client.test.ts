import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { CofreError } from '@cofre/shared/errors';
import type { ChunkId, DomainId, SessionId } from '@cofre/shared/ids';
import { encodeEndFrame, encodeFrameHeader } from '@cofre/shared/wire/chunk-frames';
import { afterEach, describe, expect, test } from 'vitest';
import { selfSignedCertificate } from '../../../../test/builders/self-signed-certificate.ts';
import { createServerClient, type ClientOptions } from './http-client.ts';
import type { ClientSettings, ServerClient } from './server-client.ts';

const SESSION = 'a'.repeat(32) as SessionId;
const DOMAIN = 'd'.repeat(32) as DomainId;
const STORED = { packNumber: 7, blobs: 2, duplicates: 0, healed: 0 };

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

async function listen(server: Server | TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({
    close: () => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

function clientOf(settings: Partial<ClientSettings>, options: ClientOptions = {}): ServerClient {
  const client = createServerClient(
    { address: 'http://127.0.0.1:1', certificatePin: null, credential: null, ...settings },
    { awayMsMax: 3000, ...options },
  );
  opened.push(client);
  return client;
}

/** A client of a server that answers with `listener`. */
async function clientFor(listener: RequestListener, options?: ClientOptions): Promise<ServerClient> {
  const port = await listen(createServer(listener));
  return clientOf({ address: `http://127.0.0.1:${port}`, credential: 'DEVICE.SECRET' }, options);
}

function answerJson(response: ServerResponse, value: object, status = 200): void {
  const type = status < 300 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(value));
}

function problem(code: string, more: object = {}): object {
  return { code, message: 'message', hint: 'hint', retryable: false, requestId: 'r', ...more };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function failureOf(promise: Promise<unknown>): Promise<CofreError> {
  const error: unknown = await promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof CofreError) return error;
  throw error;
}

function snapshotItem(number: number): object {
  return {
    snapshotId: String(number).repeat(64),
    number,
    deviceId: '1'.repeat(32),
    setId: '2'.repeat(32),
    received: '2026-01-01T00:00:00.000Z',
    lockedUntil: '2026-01-08T00:00:00.000Z',
    state: 'kept',
    contentUntil: null,
    manifest: 'AAAA',
  };
}

function blobOf(id: ChunkId): Buffer {
  return Buffer.alloc(5000 + parseInt(id, 16) * 3000, parseInt(id, 16));
}

async function askedBy(request: IncomingMessage): Promise<ChunkId[]> {
  return ((await bodyOf(request)).toString('hex').match(/.{64}/g) ?? []) as ChunkId[];
}

function framesOf(asked: readonly ChunkId[]): Buffer {
  const frames = asked.map((chunkId, index) =>
    index === 5
      ? encodeFrameHeader({ status: 'missing', length: 0, chunkId })
      : Buffer.concat([
          encodeFrameHeader({ status: 'found', length: blobOf(chunkId).length, chunkId }),
          blobOf(chunkId),
        ]),
  );
  return Buffer.concat([...frames, encodeEndFrame(asked.length)]);
}

describe('answers', () => {
  test('the credential travels in the Authorization header', async () => {
    let seen: string | undefined;
    const client = await clientFor((request, response) => {
      seen = request.headers.authorization;
      answerJson(response, { authorityKey: null, roster: null });
    });
    expect(await client.trust()).toEqual({ authorityKey: null, roster: null });
    expect(seen).toBe('Cofre DEVICE.SECRET');
  });

  test("a problem becomes the error of its code, with the server's parameters made printable", async () => {
    const parameters = { missing: '5 MB', used: '1', quota: 'a\u001b[31m' };
    const client = await clientFor((_, response) =>
      answerJson(response, problem('over_quota', { parameters }), 413),
    );
    const error = await failureOf(client.status());
    expect(error.code).toBe('over_quota');
    expect(error.exitCode).toBe(14);
    expect(error.message).toContain('5 MB more are needed (1 of a\\u{1b}[31m used)');
  });

  test.each([
    ['a code that this version does not know', 409, problem('from_the_future')],
    ['a success that lacks what it should hold', 200, { hello: 1 }],
  ])('%s is a protocol error', async (_, status, value) => {
    const client = await clientFor((__, response) => answerJson(response, value, status));
    expect((await failureOf(client.status())).code).toBe('protocol');
  });

  test.each([200, 404, 302])('a web page with status %i is a protocol error', async (status) => {
    const client = await clientFor((_, response) =>
      response.writeHead(status, { 'content-type': 'text/html' }).end('<html></html>'),
    );
    expect((await failureOf(client.status())).code).toBe('protocol');
  });

  test('something that does not speak HTTP is a protocol error', async () => {
    const port = await listen(createTcpServer((socket) => socket.end('220 mail.example ESMTP\r\n')));
    const client = clientOf({ address: `http://127.0.0.1:${port}` });
    expect((await failureOf(client.status())).code).toBe('protocol');
  });

  test('a refused commit names the chunks that are missing', async () => {
    const missing = ['1'.repeat(64)];
    const client = await clientFor((_, response) =>
      answerJson(response, problem('missing_chunks', { missing, parameters: { count: 1 } }), 409),
    );
    const outcome = await client.commit(SESSION, { manifest: '', refs: 'full' });
    expect(outcome).toEqual({ status: 'missing', missing });
  });

  test('the age of the last look is asked for only when somebody wants to know', async () => {
    const asked: string[] = [];
    const client = await clientFor((request, response) => {
      asked.push(request.url ?? '');
      request.resume().on('end', () => response.end(Buffer.from([2])));
    });
    expect([...(await client.have(SESSION, Buffer.alloc(32)))]).toEqual([2]);
    expect([...(await client.have(SESSION, Buffer.alloc(32), 5000))]).toEqual([2]);
    expect(asked.map((url) => url.replace(/.*have/, ''))).toEqual(['', '?verifiedWithinMs=5000']);
  });

  test('pages of snapshots are read to the end', async () => {
    const client = await clientFor((request, response) => {
      const after = new URL(request.url ?? '', 'http://host').searchParams.get('after');
      answerJson(
        response,
        after === '0'
          ? { items: [snapshotItem(1), snapshotItem(2)], next: 2 }
          : { items: [snapshotItem(3)], next: null },
      );
    });
    const numbers: number[] = [];
    for await (const { number } of client.snapshots()) numbers.push(number);
    expect(numbers).toEqual([1, 2, 3]);
  });
});

describe('a server that is away', () => {
  test('an upload that is cut is sent again, whole and unchanged', async () => {
    const parts = [Buffer.alloc(700_000, 1), Buffer.alloc(3, 2), Buffer.alloc(500_000, 3)];
    let tries = 0;
    let received: Buffer | null = null;
    const client = await clientFor((request, response) => {
      tries += 1;
      if (tries === 1) {
        request.once('data', () => request.socket.destroy());
        return;
      }
      if (tries === 2) {
        response.writeHead(503).end();
        return;
      }
      void bodyOf(request).then((body) => {
        received = body;
        expect(request.headers['content-length']).toBe('1200003');
        answerJson(response, STORED);
      });
    });
    expect(await client.putPack(SESSION, 'b'.repeat(32), parts)).toEqual(STORED);
    expect(received).toEqual(Buffer.concat(parts));
    expect(tries).toBe(3);
  });

  test('is waited for, told, and given up in the end', async () => {
    const problems: string[] = [];
    const client = clientOf({}, { awayMsMax: 700, onWait: (text) => problems.push(text) });
    const error = await failureOf(client.status());
    expect(error.code).toBe('server_unreachable');
    expect(error.exitCode).toBe(10);
    expect(error.parameters).toEqual({ address: 'http://127.0.0.1:1', problem: 'connection refused' });
    expect(problems.length).toBeGreaterThan(0);
  });

  test('is asked again once it has come back', async () => {
    const port = await listen(createServer());
    await opened.pop()?.close();
    const client = clientOf({ address: `http://127.0.0.1:${port}` }, { awayMsMax: 20_000 });
    const answer = client.trust();
    const server = createServer((_, response) => answerJson(response, { authorityKey: null, roster: null }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    server.listen(port, '127.0.0.1');
    opened.push({ close: () => (server.closeAllConnections(), server.close()) });
    expect(await answer).toEqual({ authorityKey: null, roster: null });
  });

  test('a signal ends the waiting', async () => {
    const controller = new AbortController();
    const client = clientOf(
      {},
      { awayMsMax: 60_000, signal: controller.signal, onWait: () => controller.abort() },
    );
    expect((await failureOf(client.status())).code).toBe('interrupted');
  });

  test('closing the client ends what is under way, and does not wait', async () => {
    const waits: string[] = [];
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const client = await clientFor(() => resolve(), { onWait: (text) => waits.push(text) });
    const failure = failureOf(client.status());
    await asked;
    await client.close();
    expect((await failure).code).toBe('interrupted');
    expect((await failureOf(client.status())).code).toBe('interrupted');
    expect(waits).toEqual([]);
  });

  test('a signal ends an answer that does not come', async () => {
    const controller = new AbortController();
    const client = await clientFor(() => controller.abort(), { signal: controller.signal });
    expect((await failureOf(client.status())).code).toBe('interrupted');
  });
});

describe('certificates', () => {
  const genuine = selfSignedCertificate();

  async function tlsPort(certificate = genuine, options: object = {}): Promise<number> {
    const settings = { cert: certificate.certificate, key: certificate.key, ...options };
    return listen(
      createTlsServer(settings, (_, response) => answerJson(response, { authorityKey: null, roster: null })),
    );
  }

  test('a self-signed one that is pinned is taken', async () => {
    const client = clientOf({ address: `https://localhost:${await tlsPort()}`, certificatePin: genuine.pin });
    expect(await client.trust()).toEqual({ authorityKey: null, roster: null });
  });

  test('another one is refused at once, before a request is sent', async () => {
    const waits: string[] = [];
    const port = await tlsPort(selfSignedCertificate());
    const client = clientOf(
      { address: `https://127.0.0.1:${port}`, certificatePin: genuine.pin },
      { onWait: (text) => waits.push(text) },
    );
    const error = await failureOf(client.trust());
    expect(error.code).toBe('server_certificate_changed');
    expect(waits).toEqual([]);
  });

  test('a self-signed one without a pin is refused', async () => {
    const client = clientOf({ address: `https://localhost:${await tlsPort()}` }, { awayMsMax: 500 });
    expect((await failureOf(client.trust())).code).toBe('protocol');
  });

  test('TLS below 1.3 is refused', async () => {
    const port = await tlsPort(genuine, { maxVersion: 'TLSv1.2' });
    const client = clientOf(
      { address: `https://localhost:${port}`, certificatePin: genuine.pin },
      { awayMsMax: 500 },
    );
    expect((await failureOf(client.trust())).code).toBe('protocol');
  });

  test('plain http to another computer is refused', () => {
    expect(() => clientOf({ address: 'http://backup.example:8080' })).toThrow(/without TLS/);
  });
});

describe('reading chunks', () => {
  const ids = Array.from({ length: 40 }, (_, index) => index.toString(16).padStart(64, '0') as ChunkId);

  async function expectAll(client: ServerClient): Promise<void> {
    let count = 0;
    for await (const { chunkId, status, blob } of client.readChunks(DOMAIN, ids)) {
      expect(chunkId).toBe(ids[count]);
      expect(blob.equals(status === 'found' ? blobOf(chunkId) : Buffer.alloc(0))).toBe(true);
      count += 1;
    }
    expect(count).toBe(ids.length);
  }

  test('gives each blob, and says which are missing', async () => {
    const client = await clientFor((request, response) => {
      void askedBy(request).then((asked) => response.end(framesOf(asked)));
    });
    await expectAll(client);
  });

  test('takes an answer that is cut up again behind what came', async () => {
    const requests: ChunkId[][] = [];
    const client = await clientFor((request, response) => {
      void askedBy(request).then((asked) => {
        requests.push(asked);
        const frames = framesOf(asked);
        if (requests.length === 4) return response.end(frames);
        return response.write(frames.subarray(0, 250_000), () => response.socket?.destroy());
      });
    });
    await expectAll(client);
    expect(requests.length).toBe(4);
    expect(requests[1]?.length).toBeLessThan(ids.length);
  });

  test('takes an answer that ends cleanly but too early for a cut', async () => {
    let tries = 0;
    const client = await clientFor((request, response) => {
      void askedBy(request).then((asked) => {
        const frames = framesOf(asked);
        tries += 1;
        return response.end(tries === 1 ? frames.subarray(0, frames.length - 40) : frames);
      });
    });
    await expectAll(client);
  });

  test.each<[string, (frames: Buffer) => Buffer]>([
    ['a count that is wrong', (frames) => Buffer.concat([frames.subarray(0, -40), encodeEndFrame(3)])],
    ['bytes behind the end', (frames) => Buffer.concat([frames, Buffer.alloc(1)])],
    ['a blob that was not asked for', (frames) => (frames.fill(0xee, 8, 40), frames)],
    ['a length over the limit', (frames) => (frames.fill(0xff, 4, 8), frames)],
    ['a status that does not exist', (frames) => (frames.fill(9, 0, 1), frames)],
  ])('refuses %s', async (_, change) => {
    const client = await clientFor((request, response) => {
      void askedBy(request).then((asked) => response.end(change(framesOf(asked))));
    });
    expect((await failureOf(expectAll(client))).code).toBe('protocol');
  });
});
