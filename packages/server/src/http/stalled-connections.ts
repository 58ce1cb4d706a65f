import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/**
 * Cuts connections on which the client lets nothing move for `idleMs`: it neither sends the rest of a body that we are
 * ready to read, nor takes what we have written. Time that we take ourselves does not count. Node's own timer tells
 * when nothing moved, and sees parts of a long write too.
 */
export function endStalledConnections(server: Server, idleMs: number): void {
  const exchanges = new WeakMap<Socket, Exchange>();
  server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    exchanges.set(incoming.socket, { incoming, outgoing });
  });
  server.setTimeout(idleMs, (socket: Socket) => {
    const exchange = exchanges.get(socket);
    if (exchange !== undefined && isOurTurn(exchange)) socket.setTimeout(idleMs);
    else socket.destroy();
  });
}

function isOurTurn({ incoming, outgoing }: Exchange): boolean {
  if (outgoing.writableEnded || outgoing.writableLength > 0) return false;
  // A body that waits in our buffer, or that nobody has asked for yet, is not late.
  return incoming.complete || incoming.readableLength > 0 || incoming.readableFlowing === null;
}
