import { createRoute, z } from '@hono/zod-openapi';
import { LIMITS } from '@cofre/shared/limits';
import { commitRequest, commitResponse, refsQuery, refsStored } from '@cofre/shared/wire/sessions';
import { base64BodyBytesMax, bodyOfAtMost, readIds } from './declared-body.ts';
import { refuseSuspended } from './device-guard.ts';
import { MissingChunksError } from './missing-chunks-error.ts';
import { newRoutes } from './new-routes.ts';
import { binaryBody, deviceSecurity, jsonBody, jsonContent, problemAnswer } from './schema-pieces.ts';
import type { Middleware } from './server-environment.ts';
import { sessionParams } from './sessions.routes.ts';

const stageRefs = createRoute({
  method: 'put',
  path: '/v1/sessions/{id}/refs/{part}',
  summary: "Send a part of the change of the set's refset",
  security: deviceSecurity,
  request: {
    params: sessionParams.extend({ part: z.coerce.number().int().nonnegative() }),
    query: refsQuery,
    body: binaryBody('Chunk ids of 32 bytes, ascending'),
  },
  responses: { 200: { description: 'Kept', content: jsonContent(refsStored) }, ...problemAnswer },
});

const commit = createRoute({
  method: 'post',
  path: '/v1/sessions/{id}/commit',
  summary: 'Make a snapshot of what was sent, if everything that it needs is there',
  security: deviceSecurity,
  request: { params: sessionParams, body: jsonBody(commitRequest) },
  responses: { 200: { description: 'The snapshot', content: jsonContent(commitResponse) }, ...problemAnswer },
});

/** What ends a session well: the refset, then the signed manifest. */
export function commitRoutes(guard: Middleware) {
  const routes = newRoutes();
  routes.openapi({ ...stageRefs, middleware: [guard, refuseSuspended] }, async (context) => {
    const { id, part } = context.req.valid('param');
    const { mode } = context.req.valid('query');
    const ids = await readIds(context, LIMITS.refsPartIdsMax);
    const refs = { part, mode, ids };
    return context.json(await context.get('vault').stageRefs(context.get('device'), id, refs), 200);
  });
  const bodyBytesMax = base64BodyBytesMax(LIMITS.manifestBytesMax);
  const commitMiddleware = [guard, refuseSuspended, bodyOfAtMost(bodyBytesMax)];
  routes.openapi({ ...commit, middleware: commitMiddleware }, async (context) => {
    const { id } = context.req.valid('param');
    const { manifest, refs } = context.req.valid('json');
    const bytes = Buffer.from(manifest, 'base64');
    const result = await context.get('vault').commit(context.get('device'), id, bytes, refs);
    if (result.status === 'missing') throw new MissingChunksError(result.total, result.missing);
    const { status: _, ...response } = result;
    return context.json(response, 200);
  });
  return routes;
}
