import { CofreError } from '@cofre/shared/errors';
import type { Middleware, RequestContext } from './server-environment.ts';

const READING = new Set(['GET', 'HEAD']);

/**
 * Refuses what another site makes a browser send. A cookie goes along by itself, so what changes something has to come
 * from our own pages, and to say so: `Origin` is ours, and `Sec-Fetch-Site`, which pages can't forge, is `same-origin`.
 * @param origin of our own pages
 * @throws CofreError `cross_site`
 */
export function requireSameSite(context: RequestContext, origin: string): void {
  const site = context.req.header('sec-fetch-site');
  const from = context.req.header('origin');
  const isReading = READING.has(context.req.method);
  const isOurSite = site === 'same-origin' || (isReading && site === 'none');
  const isForeign = (site !== undefined && !isOurSite) || (from !== undefined && from !== origin);
  const isSilent = site === undefined && from === undefined;
  if (isForeign || (isSilent && !isReading)) throw new CofreError('cross_site', { address: origin });
}

/** For routes that make a cookie: nobody is to be signed in from elsewhere into an account that is not his. */
export function fromOurPages(origin: () => string): Middleware {
  return async (context, next) => {
    requireSameSite(context, origin());
    await next();
  };
}
