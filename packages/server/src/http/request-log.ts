import { matchedRoutes } from 'hono/route';
import { newRandomId } from '@cofre/shared/ids';
import type { Log } from '../log.ts';
import { HEALTH_PATHS } from './health.routes.ts';
import type { Middleware, RequestContext } from './server-environment.ts';

const REQUEST_ID = /^[A-Za-z0-9-]{8,64}$/;

/**
 * Gives each request an id (the client's own, if it sent a plain one), and logs one line when it is over: the pattern
 * of its route and never its address, which could hold what a person typed.
 */
export function requestLog(log: Log): Middleware {
  return async (context, next) => {
    const { incoming, outgoing } = context.env;
    const given = context.req.header('x-request-id') ?? '';
    const requestId = REQUEST_ID.test(given) ? given : newRandomId();
    context.set('requestId', requestId);
    context.set('log', log);
    outgoing.setHeader('x-request-id', requestId);
    outgoing.setHeader('x-content-type-options', 'nosniff');
    outgoing.setHeader('cache-control', 'no-store');
    if (!HEALTH_PATHS.has(context.req.path)) {
      const { socket } = incoming;
      const start = { ms: performance.now(), writtenBytes: socket.bytesWritten };
      outgoing.once('close', () => {
        const bytesOut = socket.bytesWritten - start.writtenBytes;
        const ms = Math.round(performance.now() - start.ms);
        log.info({ ...describe(context), bytesOut, ms }, 'request');
      });
    }
    await next();
  };
}

function describe(context: RequestContext): object {
  const { incoming, outgoing } = context.env;
  const device = context.get('device') as { tenantId: string; deviceId: string } | undefined;
  const person = context.get('person') as { user: { id: string } } | undefined;
  return {
    requestId: context.get('requestId'),
    method: context.req.method,
    route: matchedRoutes(context).findLast(({ path }) => !path.includes('*'))?.path ?? 'none',
    status: outgoing.statusCode,
    code: context.get('problemCode'),
    tenantId: device?.tenantId,
    deviceId: device?.deviceId,
    userId: person?.user.id,
    bytesIn: Number(incoming.headers['content-length'] ?? 0),
    isCut: outgoing.writableFinished ? undefined : true,
  };
}
