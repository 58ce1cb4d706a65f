import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { LIMITS } from '@cofre/shared/limits';
import {
  administeredDevice,
  administeredDeviceList,
  createTenantRequest,
  inviteResponse,
  tenantItem,
  tenantList,
  vaultStatisticsList,
} from '@cofre/shared/wire/administration';
import type { Administration } from '../administration/administration.ts';
import { addCollectionRoutes } from './collection.routes.ts';
import { addDamageRoutes } from './damage.routes.ts';
import { bodyOfAtMost } from './declared-body.ts';
import { newRoutes } from './new-routes.ts';
import { jsonBody, jsonContent, problemAnswer } from './schema-pieces.ts';
import type { ServerEnvironment } from './server-environment.ts';
import { sendReading } from './reading-stream.ts';
import { addTenantRoutes } from './tenants.routes.ts';

const REFERENCE_CHARACTERS_MAX = 1024;
const reference = z.string().min(1).max(REFERENCE_CHARACTERS_MAX);
const tenantParams = z.object({ tenant: reference });
const tenantQuery = z.object({ tenant: reference.optional() });

const createTenant = createRoute({
  method: 'post',
  path: '/tenants',
  middleware: bodyOfAtMost(LIMITS.jsonBodyBytesMax),
  request: { body: jsonBody(createTenantRequest) },
  responses: { 200: { description: 'The tenant', content: jsonContent(tenantItem) }, ...problemAnswer },
});

const listTenants = createRoute({
  method: 'get',
  path: '/tenants',
  responses: { 200: { description: 'All tenants', content: jsonContent(tenantList) }, ...problemAnswer },
});

const invite = createRoute({
  method: 'post',
  path: '/tenants/{tenant}/invitations',
  request: { params: tenantParams },
  responses: { 200: { description: 'The line', content: jsonContent(inviteResponse) }, ...problemAnswer },
});

const listDevices = createRoute({
  method: 'get',
  path: '/tenants/{tenant}/devices',
  request: { params: tenantParams },
  responses: {
    200: { description: 'Its devices', content: jsonContent(administeredDeviceList) },
    ...problemAnswer,
  },
});

const revokeDevice = createRoute({
  method: 'post',
  path: '/tenants/{tenant}/devices/{device}/revoke',
  request: { params: tenantParams.extend({ device: reference }) },
  responses: {
    200: { description: 'The device', content: jsonContent(administeredDevice) },
    ...problemAnswer,
  },
});

const statistics = createRoute({
  method: 'get',
  path: '/statistics',
  request: { query: tenantQuery },
  responses: {
    200: { description: 'By tenant', content: jsonContent(vaultStatisticsList) },
    ...problemAnswer,
  },
});

const verify = createRoute({
  method: 'post',
  path: '/verify',
  request: { query: tenantQuery },
  responses: { 200: { description: 'Events, one JSON object a line' }, ...problemAnswer },
});

/**
 * What the command line asks a running server over its local socket. There is no credential: who may open the socket
 * is the administrator. These routes are mounted nowhere else.
 */
export function administrationRoutes(administration: Administration): OpenAPIHono<ServerEnvironment> {
  const routes = newRoutes();
  routes.openapi(createTenant, async (context) =>
    context.json(await administration.createTenant(context.req.valid('json')), 200),
  );
  routes.openapi(listTenants, async (context) =>
    context.json({ items: await administration.listTenants() }, 200),
  );
  routes.openapi(invite, async (context) =>
    context.json(await administration.invite(context.req.valid('param').tenant), 200),
  );
  routes.openapi(listDevices, async (context) =>
    context.json({ items: await administration.listDevices(context.req.valid('param').tenant) }, 200),
  );
  routes.openapi(revokeDevice, async (context) => {
    const { tenant, device } = context.req.valid('param');
    return context.json(await administration.revokeDevice(tenant, device), 200);
  });
  routes.openapi(statistics, async (context) => {
    const { tenant = null } = context.req.valid('query');
    return context.json({ items: await administration.statistics(tenant) }, 200);
  });
  routes.openapi(verify, async (context) => {
    const { tenant = null } = context.req.valid('query');
    return await sendReading(context, (run) => administration.verify(tenant, run));
  });
  addCollectionRoutes(routes, administration);
  addDamageRoutes(routes, administration);
  addTenantRoutes(routes, administration.tenants);
  return routes;
}
