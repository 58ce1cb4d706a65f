import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { RequestContext } from './server-environment.ts';

/**
 * With the prefix `__Host-` a browser takes it from this very host only, over TLS (or from loopback), for every path,
 * and no other host of the domain can set it. No script reads it, no other site makes a browser send it.
 */
const NAME = 'cofre';
const TRAITS = { prefix: 'host', secure: true, httpOnly: true, sameSite: 'Strict', path: '/' } as const;

/** Gives the browser its session, until it is closed; how long it lasts is decided here, not there. */
export function giveSession(context: RequestContext, secret: string): void {
  setCookie(context, NAME, secret, TRAITS);
}

/** What the browser shows. */
export function shownSession(context: RequestContext): string | undefined {
  return getCookie(context, NAME, 'host');
}

/** Takes the session from the browser. */
export function takeSession(context: RequestContext): void {
  deleteCookie(context, NAME, TRAITS);
}
