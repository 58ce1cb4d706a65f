import { createHash } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { CofreError } from '@cofre/shared/errors';
import { buildConnector } from 'undici';
import { openTunnel, proxyFor } from './proxy-tunnel.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const HTTPS_PORT = 443;

/**
 * Connects to `address`; over TLS (1.3 or later) only when the SHA-256 of the server's certificate (DER) is `pin`
 * (hexadecimal). Who signed the certificate and for which name does not matter then: a self-signed one is normal.
 * With a null pin, TLS is checked against the system's authorities. A wrong certificate gives
 * `server_certificate_changed` before a byte of a request is sent. Goes through the machine's proxy, if it has one.
 */
export function pinnedConnector(address: string, pin: string | null): buildConnector.connector {
  const connect = buildConnector({
    allowH2: false,
    timeout: CONNECT_TIMEOUT_MS,
    // A resumed session shows no certificate.
    maxCachedSessions: 0,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: pin === null,
  });
  const check = (callback: buildConnector.Callback): buildConnector.Callback => {
    return (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      if (pin === null || !(socket instanceof TLSSocket)) return callback(null, socket);
      if (certificateHash(socket) === pin) return callback(null, socket);
      socket.destroy();
      return callback(new CofreError('server_certificate_changed', { address }), null);
    };
  };
  const proxy = proxyFor(address, process.env);
  if (proxy === null) return (options, callback) => connect(options, check(callback));
  return (options, callback) => {
    const port = Number(options.port || HTTPS_PORT);
    const tunnel = { proxy, host: options.hostname, port, timeoutMs: CONNECT_TIMEOUT_MS };
    openTunnel(tunnel, (...[error, httpSocket]) => {
      if (error !== null) return callback(error, null);
      return connect({ ...options, httpSocket }, check(callback));
    });
  };
}

function certificateHash(socket: TLSSocket): string | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  return createHash('sha256').update(certificate.raw).digest('hex');
}
