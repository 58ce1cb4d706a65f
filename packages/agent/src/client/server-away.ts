/**
 * An attempt failed in a way that says nothing about the request: no connection, a cut, a proxy without a server
 * behind it. The same request may succeed in a moment. Never leaves the client: {@link Patience} waits, or turns it
 * into `server_unreachable`.
 */
export class ServerAway extends Error {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(reason, options);
    this.name = 'ServerAway';
  }
}
