import { createRoute, z } from '@hono/zod-openapi';
import type { SessionId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { haveQuery, openSessionRequest, renewResponse, session } from '@cofre/shared/wire/sessions';
import { bodyOfAtMost, readIds } from './declared-body.ts';
import { refuseSuspended } from './device-guard.ts';
import { newRoutes } from './new-routes.ts';
import {
  binaryAnswer,
  binaryBody,
  deviceSecurity,
  jsonBody,
  jsonContent,
  problemAnswer,
} from './schema-pieces.ts';
import type { Middleware } from './server-environment.ts';

/** The id of a session in a path. */
export const sessionParams = z.object({
  id: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .transform((value) => value as SessionId),
});

const openSession = createRoute({
  method: 'post',
  path: '/v1/sessions',
  summary: 'Open a backup session',
  security: deviceSecurity,
  request: { body: jsonBody(openSessionRequest) },
  responses: { 200: { description: 'The session', content: jsonContent(session) }, ...problemAnswer },
});

const renewSession = createRoute({
  method: 'post',
  path: '/v1/sessions/{id}/renew',
  summary: 'Renew the lease of a session',
  security: deviceSecurity,
  request: { params: sessionParams },
  responses: { 200: { description: 'The lease', content: jsonContent(renewResponse) }, ...problemAnswer },
});

const closeSession = createRoute({
  method: 'delete',
  path: '/v1/sessions/{id}',
  summary: 'End a session without a snapshot, or after it',
  security: deviceSecurity,
  request: { params: sessionParams },
  responses: { 204: { description: 'Ended' }, ...problemAnswer },
});

const have = createRoute({
  method: 'post',
  path: '/v1/sessions/{id}/have',
  summary: 'Ask which chunks are there',
  security: deviceSecurity,
  request: { params: sessionParams, query: haveQuery, body: binaryBody('Chunk ids of 32 bytes') },
  responses: {
    200: binaryAnswer(
      'One byte an id: 1 there, 0 to be sent, 2 there but not verified within the time asked for',
    ),
    ...problemAnswer,
  },
});

/** Sessions and what is asked within them; what is sent within them is in packs, refs and commits. */
export function sessionRoutes(guard: Middleware) {
  const routes = newRoutes();
  const openMiddleware = [guard, refuseSuspended, bodyOfAtMost(LIMITS.jsonBodyBytesMax)];
  routes.openapi({ ...openSession, middleware: openMiddleware }, async (context) => {
    const request = context.req.valid('json');
    return context.json(await context.get('vault').openSession(context.get('device'), request), 200);
  });
  routes.openapi({ ...renewSession, middleware: [guard, refuseSuspended] }, async (context) => {
    const { id } = context.req.valid('param');
    return context.json(await context.get('vault').renewSession(context.get('device'), id), 200);
  });
  routes.openapi({ ...closeSession, middleware: guard }, async (context) => {
    await context.get('vault').closeSession(context.get('device'), context.req.valid('param').id);
    return context.body(null, 204);
  });
  routes.openapi({ ...have, middleware: [guard, refuseSuspended] }, async (context) => {
    const ids = await readIds(context, LIMITS.haveIdsMax);
    const { id } = context.req.valid('param');
    const { verifiedWithinMs = null } = context.req.valid('query');
    const answer = await context.get('vault').have(context.get('device'), id, ids, verifiedWithinMs);
    return context.body(new Uint8Array(answer), 200, { 'content-type': 'application/octet-stream' });
  });
  return routes;
}
