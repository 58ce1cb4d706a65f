import { createRoute, z } from '@hono/zod-openapi';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import { objectItem, objectKind, objectQuery, objectStored } from '@cofre/shared/wire/trust';
import { readBody } from './declared-body.ts';
import { requireNotSuspended } from './device-guard.ts';
import { newRoutes } from './new-routes.ts';
import { binaryBody, deviceSecurity, jsonContent, problemAnswer } from './schema-pieces.ts';
import type { Middleware } from './server-environment.ts';

const params = z.object({ kind: objectKind });

const storeObject = createRoute({
  method: 'post',
  path: '/v1/objects/{kind}',
  summary: 'Keep a keyring object or a domain record',
  security: deviceSecurity,
  request: { params, body: binaryBody('The signed object') },
  responses: { 200: { description: 'Its number', content: jsonContent(objectStored) }, ...problemAnswer },
});

const readObject = createRoute({
  method: 'get',
  path: '/v1/objects/{kind}',
  summary: 'One object: a keyring by its period, a domain record by its domain',
  security: deviceSecurity,
  request: { params, query: objectQuery },
  responses: { 200: { description: 'The object', content: jsonContent(objectItem) }, ...problemAnswer },
});

/** Sealed keys, which the server keeps and cannot open. */
export function objectRoutes(guard: Middleware) {
  const routes = newRoutes();
  routes.openapi({ ...storeObject, middleware: guard }, async (context) => {
    const { kind } = context.req.valid('param');
    // A keyring is of a backup; a domain record is of a computer that joins, also to restore.
    if (kind === 'keyring') requireNotSuspended(context.get('device'));
    const object = await readBody(context, LIMITS.objectBytesMax);
    return context.json(await context.get('vault').storeObject(context.get('device'), kind, object), 200);
  });
  routes.openapi({ ...readObject, middleware: guard }, async (context) => {
    const { kind } = context.req.valid('param');
    const { period, domain } = context.req.valid('query');
    const id = kind === 'keyring' ? period : domain;
    if (id === undefined) {
      const problem = `the query says no ${kind === 'keyring' ? 'period' : 'domain'}`;
      throw new CofreError('invalid_request', { problem });
    }
    return context.json(await context.get('vault').readObject(context.get('device'), kind, id), 200);
  });
  return routes;
}
