import { isIP } from 'node:net';
import { CofreError } from '@cofre/shared/errors';

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * `HOST:PORT`, with an IPv6 address in brackets.
 * @throws CofreError `settings_invalid`
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port <= 65_535)) refuse(`"${text}" is not HOST:PORT`);
  if (match?.[1] !== undefined && isIP(host) !== 6) refuse(`"${host}" is no IPv6 address`);
  return { host, port };
}

/** Whether only this machine reaches the address. */
export function isLoopback({ host }: ListenAddress): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || host === 'localhost';
}

/** How computers name the address, such as `https://192.0.2.1:8443`. */
export function originOf({ host, port }: ListenAddress, hasTls: boolean): string {
  return new URL(`${hasTls ? 'https' : 'http'}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`).origin;
}

function refuse(problem: string): never {
  throw new CofreError('settings_invalid', { setting: '--listen', problem });
}
