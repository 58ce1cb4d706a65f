import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { endStalledConnections } from './stalled-connections.ts';

const IDLE_MS = 100;
let server: Server;

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function served(listener: RequestListener): Promise<Socket> {
  server = createServer({ requestTimeout: 0 }, listener);
  endStalledConnections(server, IDLE_MS);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return connect((server.address() as AddressInfo).port, '127.0.0.1');
}

const waitMs = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a client that does not send the rest of its body is cut off', async () => {
  const socket = await served((incoming) => incoming.resume());
  socket.write('PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf');
  const [hadError] = (await once(socket, 'close')) as [boolean];
  expect(hadError).toBe(false);
});

test('a client that does not take its answer is cut off', async () => {
  let isCut = false;
  const socket = await served((_, outgoing) => {
    outgoing.on('close', () => (isCut = !outgoing.writableFinished));
    outgoing.end(Buffer.alloc(64 * 1024 * 1024));
  });
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await expect.poll(() => isCut).toBe(true);
});

test('a client that waits for a slow answer is not', async () => {
  const socket = await served((_, outgoing) => void waitMs(IDLE_MS * 5).then(() => outgoing.end('at last')));
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(String(answer)).toContain('at last');
});

test('a client whose body we do not read yet is not', async () => {
  const socket = await served((incoming, outgoing) => {
    incoming.on('end', () => outgoing.end('taken'));
    void waitMs(IDLE_MS * 5).then(() => incoming.resume());
  });
  socket.write('PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(String(answer)).toContain('taken');
});
