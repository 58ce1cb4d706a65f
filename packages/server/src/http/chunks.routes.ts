import { createRoute, z } from '@hono/zod-openapi';
import { LIMITS } from '@cofre/shared/limits';
import { domainId } from '@cofre/shared/wire/fields';
import { readIds, splitIds } from './declared-body.ts';
import { newRoutes } from './new-routes.ts';
import { binaryAnswer, binaryBody, deviceSecurity, problemAnswer } from './schema-pieces.ts';
import type { Middleware } from './server-environment.ts';
import { sendStream } from './outgoing-stream.ts';

const readChunks = createRoute({
  method: 'post',
  path: '/v1/domains/{id}/chunks/read',
  summary: 'Read many chunks at once',
  security: deviceSecurity,
  request: { params: z.object({ id: domainId }), body: binaryBody('Chunk ids of 32 bytes') },
  responses: { 200: binaryAnswer('Frames, in the order of the ids'), ...problemAnswer },
});

/** Content, sealed as it came. */
export function chunkRoutes(guard: Middleware) {
  const routes = newRoutes();
  routes.openapi({ ...readChunks, middleware: guard }, async (context) => {
    const ids = splitIds(await readIds(context, LIMITS.readIdsMax));
    const { id } = context.req.valid('param');
    const frames = context.get('vault').readChunks(context.get('device'), id, ids);
    return await sendStream(context, 'application/octet-stream', frames);
  });
  return routes;
}
