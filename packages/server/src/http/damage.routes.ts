import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { vaultDamagesList } from '@cofre/shared/wire/damage';
import type { Administration } from '../administration/administration.ts';
import { sendReading } from './reading-stream.ts';
import { jsonContent, problemAnswer } from './schema-pieces.ts';
import type { ServerEnvironment } from './server-environment.ts';

const REFERENCE_CHARACTERS_MAX = 1024;
const tenantQuery = z.object({ tenant: z.string().min(1).max(REFERENCE_CHARACTERS_MAX).optional() });

const scrub = createRoute({
  method: 'post',
  path: '/scrub/{what}',
  request: { params: z.object({ what: z.enum(['everything', 'due']) }), query: tenantQuery },
  responses: { 200: { description: 'Events, one JSON object a line' }, ...problemAnswer },
});

const damages = createRoute({
  method: 'get',
  path: '/damages',
  request: { query: tenantQuery },
  responses: { 200: { description: 'By tenant', content: jsonContent(vaultDamagesList) }, ...problemAnswer },
});

/** What was found damaged, and looking for more: over the local socket, as all administration. */
export function addDamageRoutes(
  routes: OpenAPIHono<ServerEnvironment>,
  administration: Administration,
): void {
  routes.openapi(scrub, async (context) => {
    const { tenant = null } = context.req.valid('query');
    const isDueOnly = context.req.valid('param').what === 'due';
    return await sendReading(context, (run) => administration.scrub(tenant, { ...run, isDueOnly }));
  });
  routes.openapi(damages, async (context) => {
    const { tenant = null } = context.req.valid('query');
    return context.json(await administration.listDamages(tenant), 200);
  });
}
