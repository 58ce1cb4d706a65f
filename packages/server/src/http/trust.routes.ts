import { createRoute } from '@hono/zod-openapi';
import { LIMITS } from '@cofre/shared/limits';
import { putTrustRequest, readGrantResponse, trust } from '@cofre/shared/wire/trust';
import type { ReadGrants } from '../auth/read-grants.ts';
import { base64BodyBytesMax, bodyOfAtMost, readBody } from './declared-body.ts';
import { newRoutes } from './new-routes.ts';
import { binaryBody, deviceSecurity, jsonBody, jsonContent, problemAnswer } from './schema-pieces.ts';
import type { Middleware } from './server-environment.ts';

const readTrust = createRoute({
  method: 'get',
  path: '/v1/trust',
  summary: 'The authority and its newest roster',
  security: deviceSecurity,
  responses: { 200: { description: 'Both, or nulls', content: jsonContent(trust) }, ...problemAnswer },
});

const putTrust = createRoute({
  method: 'put',
  path: '/v1/trust',
  summary: 'Set the authority, or bring its next roster',
  security: deviceSecurity,
  request: { body: jsonBody(putTrustRequest) },
  responses: { 204: { description: 'Taken' }, ...problemAnswer },
});

const grantReading = createRoute({
  method: 'post',
  path: '/v1/read-grants',
  summary: 'Show a grant that the authority signed, and read the whole tenant until it ends',
  security: deviceSecurity,
  request: { body: binaryBody('A signed object of kind readGrant') },
  responses: { 200: { description: 'Its end', content: jsonContent(readGrantResponse) }, ...problemAnswer },
});

/** Who is trusted: the authority, its roster, and the grants that it signs. */
export function trustRoutes(grants: ReadGrants, guard: Middleware) {
  const routes = newRoutes();
  routes.openapi({ ...readTrust, middleware: guard }, async (context) =>
    context.json(await context.get('vault').trust(), 200),
  );
  const putMiddleware = [guard, bodyOfAtMost(base64BodyBytesMax(LIMITS.objectBytesMax))];
  routes.openapi({ ...putTrust, middleware: putMiddleware }, async (context) => {
    const { authorityKey, roster } = context.req.valid('json');
    await context.get('vault').putTrust(authorityKey, Buffer.from(roster, 'base64'));
    return context.body(null, 204);
  });
  routes.openapi({ ...grantReading, middleware: guard }, async (context) => {
    const device = context.get('device');
    const grant = await readBody(context, LIMITS.objectBytesMax);
    const { expiresMs } = await context.get('vault').checkReadGrant(device, grant);
    grants.add(device.deviceId, expiresMs);
    return context.json({ expires: new Date(expiresMs).toISOString() }, 200);
  });
  return routes;
}
