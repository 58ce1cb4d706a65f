import { request } from 'node:http';
import type { Socket } from 'node:net';
import { ServerAway } from './server-away.ts';

/** What a machine says of its proxies: `process.env`, or its like. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The HTTP proxy through which `address` is to be reached, by `HTTPS_PROXY` and `NO_PROXY` (small letters count
 * first); null for none, and always for plain http, which does not leave this computer.
 */
export function proxyFor(address: string, environment: ProxyEnvironment): URL | null {
  const { protocol, hostname } = new URL(address);
  const proxy = environment['https_proxy'] ?? environment['HTTPS_PROXY'] ?? '';
  if (protocol !== 'https:' || proxy === '' || !URL.canParse(proxy)) return null;
  const exceptions = environment['no_proxy'] ?? environment['NO_PROXY'] ?? '';
  const isExcepted = exceptions
    .split(/[\s,]+/)
    .map((name) => name.replace(/^\*?\./, ''))
    .some((name) => name === '*' || (name !== '' && (hostname === name || hostname.endsWith(`.${name}`))));
  return isExcepted ? null : new URL(proxy);
}

/** A way through a proxy. */
export interface Tunnel {
  readonly proxy: URL;
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/**
 * Opens a connection through the proxy; what is sent over it is the caller's, and encrypted. Calls back once: with
 * the connection, or with ServerAway when the proxy refuses and the system's error when it is not there.
 */
export function openTunnel(
  { proxy, host, port, timeoutMs }: Tunnel,
  callback: (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void,
): void {
  const place = `${host}:${port}`;
  const headers: Record<string, string> = { host: place };
  if (proxy.username !== '') {
    const secret = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    headers['proxy-authorization'] = `Basic ${Buffer.from(secret).toString('base64')}`;
  }
  const tunnel = request({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port === '' ? 80 : Number(proxy.port),
    method: 'CONNECT',
    path: place,
    headers,
    agent: false,
    timeout: timeoutMs,
  });
  // Any answer to CONNECT comes here, whatever its status.
  tunnel.once('connect', ({ statusCode }, socket) => {
    tunnel.removeAllListeners('timeout');
    socket.setTimeout(0);
    if (statusCode === 200) return callback(null, socket);
    socket.destroy();
    return callback(new ServerAway(`the proxy ${proxy.host} answers with ${statusCode}`), null);
  });
  tunnel.once('timeout', () => tunnel.destroy(new ServerAway(`the proxy ${proxy.host} does not answer`)));
  tunnel.once('error', (error) => callback(error, null));
  tunnel.end();
}
