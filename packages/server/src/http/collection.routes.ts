import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import type { Administration } from '../administration/administration.ts';
import { sendReading } from './reading-stream.ts';
import { problemAnswer } from './schema-pieces.ts';
import type { ServerEnvironment } from './server-environment.ts';

const REFERENCE_CHARACTERS_MAX = 1024;

const collect = createRoute({
  method: 'post',
  path: '/collect',
  request: {
    query: z.object({ tenant: z.string().min(1).max(REFERENCE_CHARACTERS_MAX).optional() }),
  },
  responses: { 200: { description: 'Events, one JSON object a line' }, ...problemAnswer },
});

/** Collecting now what the server collects by itself: over the local socket, as all administration. */
export function addCollectionRoutes(
  routes: OpenAPIHono<ServerEnvironment>,
  administration: Administration,
): void {
  routes.openapi(collect, async (context) => {
    const { tenant = null } = context.req.valid('query');
    return await sendReading(context, (run) => administration.collect(tenant, run));
  });
}
