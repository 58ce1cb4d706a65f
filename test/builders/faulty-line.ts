import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { SeededRandom } from './seeded-random.ts';

const MIB = 1024 ** 2;

/** What happens to one connection, once so many bytes have passed in one direction. */
export type FaultKind =
  | 'none'
  /** It is reset. */
  | 'cut'
  /** It ends as if it were complete. */
  | 'truncate'
  /** Nothing passes any more, and nobody is told. */
  | 'half-open'
  /** Bytes wait some ms. */
  | 'delay'
  /** The server gets everything that the client says twice, at the same time. */
  | 'duplicate';

export interface FaultyLineOptions {
  readonly random: SeededRandom;
  readonly kinds: readonly FaultKind[];
  /** Where faults happen: after 0 to so many bytes. */
  readonly bytesMax?: number;
}

/** A line to a server on the loopback on which each connection has a fault of its own. */
export class FaultyLine {
  /** How often each fault happened. */
  readonly happened = new Map<FaultKind, number>();
  readonly #server: Server;
  readonly #port: number;
  readonly #options: FaultyLineOptions;
  readonly #sockets = new Set<Socket>();

  private constructor(target: string, options: FaultyLineOptions) {
    this.#port = Number(new URL(target).port);
    this.#options = options;
    this.#server = createServer((client) => this.#join(client));
  }

  static async open(target: string, options: FaultyLineOptions): Promise<FaultyLine> {
    const line = new FaultyLine(target, options);
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    return line;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket): void {
    const { random, kinds, bytesMax = 6 * MIB } = this.#options;
    const kind = random.pick(kinds);
    const server = this.#connect();
    this.#keep(client);
    const isOfClient = random.chance(0.5);
    const end = (): void => this.#end(kind, client, server, isOfClient);
    const hasEnd = kind === 'cut' || kind === 'truncate' || kind === 'half-open';
    const limit = { bytes: hasEnd ? random.below(bytesMax) : Infinity, end };
    const delayMs = kind === 'delay' ? random.between(1, 40) : 0;
    const endless = { bytes: Infinity, end };
    pass(client, server, isOfClient ? limit : endless, delayMs);
    pass(server, client, isOfClient ? endless : limit, delayMs);
    if (kind === 'duplicate') this.#duplicate(client);
    if (kind === 'delay' || kind === 'duplicate') this.#count(kind);
  }

  #end(kind: FaultKind, client: Socket, server: Socket, isOfClient: boolean): void {
    this.#count(kind);
    if (kind === 'cut') {
      client.resetAndDestroy();
      server.resetAndDestroy();
    } else if (kind === 'truncate') {
      client.end();
      server.end();
    } else {
      (isOfClient ? client : server).pause();
    }
  }

  /** A second connection that says the same; its answers go nowhere. */
  #duplicate(client: Socket): void {
    const twin = this.#connect();
    twin.resume();
    client.on('data', (data) => void (twin.writable && twin.write(data)));
    client.on('close', () => twin.destroy());
  }

  #connect(): Socket {
    const socket = connect(this.#port, '127.0.0.1');
    this.#keep(socket);
    return socket;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #count(kind: FaultKind): void {
    this.happened.set(kind, (this.happened.get(kind) ?? 0) + 1);
  }
}

interface Limit {
  bytes: number;
  readonly end: () => void;
}

function pass(from: Socket, to: Socket, limit: Limit, delayMs: number): void {
  let isEnded = false;
  from.on('data', (data) => {
    const part = data.subarray(0, Math.max(0, Math.min(data.length, limit.bytes)));
    limit.bytes -= data.length;
    const send = (): void => {
      if (to.writable && part.length > 0 && !to.write(part)) from.pause();
      if (limit.bytes < 0 && !isEnded) {
        isEnded = true;
        limit.end();
      }
    };
    if (delayMs === 0) send();
    else setTimeout(send, delayMs);
  });
  to.on('drain', () => from.resume());
  from.on('end', () => void setTimeout(() => to.end(), delayMs));
  from.on('close', () => void setTimeout(() => to.destroy(), delayMs));
}
