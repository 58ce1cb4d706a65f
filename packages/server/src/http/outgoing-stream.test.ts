import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { sendStream } from './outgoing-stream.ts';
import type { RequestContext } from './server-environment.ts';

const LARGE_BYTES = 3_000_000;
let server: Server;

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function answerWith(pieces: () => AsyncIterable<Uint8Array>): Promise<{
  answer: IncomingMessage;
  sent: Promise<unknown>;
}> {
  const sent = Promise.withResolvers<unknown>();
  server = createServer((_, outgoing) => {
    const context = { env: { outgoing } } as unknown as RequestContext;
    sendStream(context, 'application/octet-stream', pieces()).then(sent.resolve, sent.reject);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ port, host: '127.0.0.1' }, resolve).on('error', reject).end();
  });
  return { answer, sent: sent.promise };
}

test('a piece is done with when the next one is asked for, small or large, with a slow client', async () => {
  const sizes = [10, LARGE_BYTES, 10, 15_000, 16_384, 40, 100_000, LARGE_BYTES, 20];
  const { answer, sent } = await answerWith(async function* () {
    for (const [index, size] of sizes.entries()) {
      const piece = new Uint8Array(size).fill(index + 1);
      yield piece;
      // Freed memory would be read as something else, or crash.
      piece.fill(0xff);
      piece.buffer.transfer(0);
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const received: Buffer[] = [];
  for await (const part of answer as AsyncIterable<Buffer>) received.push(part);
  await sent;
  const expected = Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, index + 1)));
  expect(Buffer.concat(received).equals(expected)).toBe(true);
});

test('a client that goes away in the middle of a large piece ends the stream', async () => {
  const asked: number[] = [];
  let isReturned = false;
  const { answer, sent } = await answerWith(async function* () {
    try {
      for (let number = 0; number < 1000; number++) {
        asked.push(number);
        yield new Uint8Array(LARGE_BYTES);
      }
    } finally {
      isReturned = true;
    }
  });
  await new Promise((resolve) => answer.once('data', resolve));
  answer.destroy();
  await sent;
  expect(isReturned).toBe(true);
  expect(asked.length).toBeLessThan(1000);
});
