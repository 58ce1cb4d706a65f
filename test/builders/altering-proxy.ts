import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What becomes of the body of a successful answer; the same buffer when nothing is to be altered. */
export type Alter = (body: Buffer, path: string) => Buffer;

/** Stands between a computer and a server on the loopback, and alters what the server says. */
export class AlteringProxy {
  /** How many answers were altered. */
  altered = 0;
  alter: Alter | null = null;
  readonly #server: Server;
  readonly #target: URL;

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((incoming, outgoing) => {
      this.#forward(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  static async open(target: string): Promise<AlteringProxy> {
    const proxy = new AlteringProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method, headers, url: path = '/' } = incoming;
    const { hostname, port } = this.#target;
    const asked = request({ hostname, port, path, method, headers });
    incoming.pipe(asked);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const status = answer.statusCode ?? 502;
    const body = await buffer(answer);
    const given = status < 300 && this.alter !== null ? this.alter(body, path) : body;
    if (given !== body) this.altered += 1;
    const { 'transfer-encoding': _, ...kept } = answer.headers;
    outgoing.writeHead(status, { ...kept, 'content-length': given.length });
    outgoing.end(given);
  }
}
