import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What happens to bytes on their way: they pass, they stay in the line, or there is no line. */
type LineState = 'open' | 'frozen' | 'down';

/** A line to a server on the loopback that can be frozen and cut. */
export class NetworkProxy {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  #state: LineState = 'open';
  readonly #sent = new Counter();
  readonly #received = new Counter();

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#join(client));
  }

  static async open(targetOrigin: string): Promise<NetworkProxy> {
    const proxy = new NetworkProxy(Number(new URL(targetOrigin).port));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when clients have sent so many more bytes. */
  async afterBytes(bytes: number): Promise<void> {
    await this.#sent.after(bytes);
  }

  /** Resolves when clients were sent so many more bytes. */
  async afterReceived(bytes: number): Promise<void> {
    await this.#received.after(bytes);
  }

  /** `frozen` keeps connections and lets nothing pass; `down` ends them and refuses new ones. */
  set(state: LineState): void {
    this.#state = state;
    for (const socket of this.#sockets) {
      if (state === 'down') socket.destroy();
      else if (state === 'frozen') socket.pause();
      else socket.resume();
    }
  }

  close(): void {
    this.set('down');
    this.#server.close();
  }

  #join(client: Socket): void {
    if (this.#state === 'down') {
      client.destroy();
      return;
    }
    const server = connect(this.#targetPort, '127.0.0.1');
    client.on('data', (data) => this.#sent.add(data.length));
    server.on('data', (data) => this.#received.add(data.length));
    for (const [from, to] of [[client, server] as const, [server, client] as const]) {
      this.#sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (data) => {
        if (!to.write(data)) from.pause();
      });
      to.on('drain', () => {
        if (this.#state === 'open') from.resume();
      });
      from.on('end', () => to.end());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#state === 'frozen') from.pause();
    }
  }
}

/** Counts bytes, and calls when there are enough. */
class Counter {
  #bytes = 0;
  #waiting: { readonly bytes: number; readonly reached: () => void } | null = null;

  async after(more: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting = { bytes: this.#bytes + more, reached: resolve };
    });
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#waiting === null || this.#bytes < this.#waiting.bytes) return;
    const { reached } = this.#waiting;
    this.#waiting = null;
    reached();
  }
}
