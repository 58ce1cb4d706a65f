import { createRoute, z } from '@hono/zod-openapi';
import { CofreError } from '@cofre/shared/errors';
import { newRoutes } from './new-routes.ts';
import { jsonContent, problemAnswer } from './schema-pieces.ts';

const health = z.object({ status: z.literal('ok') });

const alive = createRoute({
  method: 'get',
  path: '/healthz',
  summary: 'Whether the process answers',
  responses: { 200: { description: 'It does', content: jsonContent(health) }, ...problemAnswer },
});

const ready = createRoute({
  method: 'get',
  path: '/readyz',
  summary: 'Whether requests are welcome: not while the server stops',
  responses: { 200: { description: 'They are', content: jsonContent(health) }, ...problemAnswer },
});

/** For whoever supervises the process. They tell nothing that a stranger may not know. */
export function healthRoutes(isReady: () => boolean) {
  const routes = newRoutes();
  routes.openapi(alive, (context) => context.json({ status: 'ok' as const }, 200));
  routes.openapi(ready, (context) => {
    if (!isReady()) throw new CofreError('unavailable', { problem: 'it is shutting down' });
    return context.json({ status: 'ok' as const }, 200);
  });
  return routes;
}

/** Paths whose requests are not worth a line in the log. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);
