import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DomainId } from '@cofre/shared/ids';
import { encodeEndFrame, encodeFrameHeader } from '@cofre/shared/wire/chunk-frames';
import type { FakeVault } from './fake-vault.ts';

export interface FakeChunkServer extends AsyncDisposable {
  readonly address: string;
  /** Requests for chunks so far. */
  readonly requests: () => number;
}

/** Serves the chunks of a fake vault over HTTP on the loopback, and nothing else: for threads, which make clients of their own. */
export async function serveChunks(vault: FakeVault): Promise<FakeChunkServer> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    void answer(vault, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    requests: () => requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(vault: FakeVault, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const domainId = /^\/v1\/domains\/([0-9a-f]{32})\/chunks\/read$/.exec(request.url ?? '')?.[1] as DomainId;
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const ids = Buffer.concat(parts).toString('hex').match(/.{64}/g) ?? [];
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  for (const id of ids) {
    const chunkId = id as Parameters<typeof encodeFrameHeader>[0]['chunkId'];
    const blob = vault.blobs.get(`${domainId} ${id}`);
    const status = blob === undefined ? 'missing' : blob === null ? 'damaged' : 'found';
    response.write(encodeFrameHeader({ status, length: blob?.length ?? 0, chunkId }));
    if (blob !== undefined && blob !== null) response.write(blob);
  }
  response.end(encodeEndFrame(ids.length));
}
