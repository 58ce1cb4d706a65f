import { createRoute, z } from '@hono/zod-openapi';
import { LIMITS } from '@cofre/shared/limits';
import { packStored } from '@cofre/shared/wire/sessions';
import { declaredLength } from './declared-body.ts';
import { refuseSuspended } from './device-guard.ts';
import { freePieces, openBody } from './incoming-body.ts';
import { newRoutes } from './new-routes.ts';
import { binaryBody, deviceSecurity, jsonContent, problemAnswer } from './schema-pieces.ts';
import type { Middleware } from './server-environment.ts';
import { sessionParams } from './sessions.routes.ts';
import type { UploadSlots } from './upload-slots.ts';

const putPack = createRoute({
  method: 'put',
  path: '/v1/sessions/{id}/packs/{operationId}',
  summary: 'Send a pack; 200 means that it is durable',
  security: deviceSecurity,
  request: {
    params: sessionParams.extend({ operationId: z.string().regex(/^[0-9a-f]{32}$/) }),
    body: binaryBody('The whole pack, with Content-Length'),
  },
  responses: { 200: { description: 'Kept', content: jsonContent(packStored) }, ...problemAnswer },
});

/** Packs go from Node's own stream to the vault: the body of the framework costs a third of the speed. */
export function packRoutes(slots: UploadSlots, guard: Middleware) {
  const routes = newRoutes();
  routes.openapi({ ...putPack, middleware: [guard, refuseSuspended] }, async (context) => {
    const device = context.get('device');
    const { id, operationId } = context.req.valid('param');
    const { incoming } = context.env;
    const lengthBytes = declaredLength(incoming, LIMITS.packBytesMax);
    using _slot = await slots.take(device.tenantId);
    const pack = { operationId, lengthBytes, body: openBody(incoming, lengthBytes), giveBack: freePieces };
    return context.json(await context.get('vault').receivePack(device, id, pack), 200);
  });
  return routes;
}
