import { CofreError } from '@cofre/shared/errors';
import type { Permission } from '@cofre/shared/wire/people';
import type { Place } from '../audit/audit-log.ts';
import { requirePermission } from '../auth/reach.ts';
import type { Clock } from '../clock.ts';
import type { PeopleServices } from '../people/people-services.ts';
import { requireSameSite } from './same-site.ts';
import type { Middleware, RequestContext } from './server-environment.ts';
import { shownSession } from './session-cookie.ts';

/** Lets people pass: with the cookie of a session, from our own pages; or with an API token, from anywhere. */
export function personGuard({ authenticator, origin }: PeopleServices): Middleware {
  return async (context, next) => {
    const { authorization } = context.env.incoming.headers;
    const place = placeOf(context);
    if (authorization === undefined) {
      const secret = shownSession(context);
      if (secret === undefined) throw new CofreError('not_signed_in');
      requireSameSite(context, origin());
      context.set('person', await authenticator.bySession(secret, place));
    } else {
      context.set('person', await authenticator.byApiToken(authorization, place));
    }
    await next();
  };
}

/** Behind the guard: who has not this permission, or no fresh proof where one is wanted, is refused. */
export function requires(permission: Permission, clock: Clock): Middleware {
  return async (context, next) => {
    requirePermission(context.get('person'), permission, clock());
    await next();
  };
}

/** From where a request comes, for the audit log. */
export function placeOf(context: RequestContext): Place {
  const { remoteAddress } = context.env.incoming.socket;
  return { address: remoteAddress ?? null, requestId: context.get('requestId') };
}
