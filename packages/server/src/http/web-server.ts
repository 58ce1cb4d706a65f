import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import type { ServerEnvironment } from './server-environment.ts';

export interface TlsFiles {
  /** PEM, the server's own certificate first. */
  readonly certificate: Buffer;
  /** PEM. */
  readonly key: Buffer;
}

const OPTIONS: ServerOptions = {
  // An upload takes as long as it takes: `stalled-connections.ts` ends those on which nothing moves.
  requestTimeout: 0,
  headersTimeout: 30_000,
  // Agents pause between packs while they read and compress; a new connection costs them a handshake.
  keepAliveTimeout: 5 * 60_000,
  connectionsCheckingInterval: 10_000,
  maxHeaderSize: LIMITS.headerBytesMax,
};

/**
 * A server of Node for an app; TLS 1.3 with `tls`, plain http without. It does not listen yet.
 * @throws CofreError `settings_invalid` when certificate and key are none, or not of each other
 */
export function createWebServer(app: Hono<ServerEnvironment>, tls: TlsFiles | null): Server {
  const listener = getRequestListener(app.fetch) as RequestListener;
  if (tls === null) return createServer(OPTIONS, listener);
  const { certificate: cert, key } = tls;
  try {
    return createTlsServer({ ...OPTIONS, cert, key, minVersion: 'TLSv1.3' }, listener);
  } catch (cause) {
    const problem = 'it and --tls-key are not a certificate and its key, in PEM and without a passphrase';
    throw new CofreError('settings_invalid', { setting: '--tls-cert', problem }, { cause });
  }
}
