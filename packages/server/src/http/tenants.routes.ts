import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import type { ZodType } from 'zod';
import { LIMITS } from '@cofre/shared/limits';
import {
  changeContactRequest,
  deleteTenantRequest,
  modulesRequest,
  newContactRequest,
  renameTenantRequest,
  tenantDetail,
  usageList,
  usageQuery,
} from '@cofre/shared/wire/tenants';
import type { TenantAdministration } from '../administration/tenant-administration.ts';
import { bodyOfAtMost } from './declared-body.ts';
import { jsonBody, jsonContent, problemAnswer } from './schema-pieces.ts';
import type { ServerEnvironment } from './server-environment.ts';

const reference = z.string().min(1).max(1024);
const params = z.object({ tenant: reference });
const contactParams = params.extend({ contact: reference });
const responses = {
  200: { description: 'How the tenant is then', content: jsonContent(tenantDetail) },
  ...problemAnswer,
};

/** Something about one tenant that wants nothing more. */
function plain<Method extends 'get' | 'post', Path extends string>(method: Method, path: Path) {
  return createRoute({ method, path, request: { params }, responses });
}

/** Something about one tenant, with a body. */
function asked<Path extends string, Request extends ZodType>(path: Path, request: Request) {
  return createRoute({
    method: 'post',
    path,
    middleware: bodyOfAtMost(LIMITS.jsonBodyBytesMax),
    request: { params, body: jsonBody(request) },
    responses,
  });
}

const show = plain('get', '/tenants/{tenant}');
const suspend = plain('post', '/tenants/{tenant}/suspend');
const resume = plain('post', '/tenants/{tenant}/resume');
const renewCode = plain('post', '/tenants/{tenant}/code');
const keep = plain('post', '/tenants/{tenant}/undelete');
const rename = asked('/tenants/{tenant}/rename', renameTenantRequest);
const setModules = asked('/tenants/{tenant}/modules', modulesRequest);
const scheduleDeletion = asked('/tenants/{tenant}/delete', deleteTenantRequest);
const addContact = asked('/tenants/{tenant}/contacts', newContactRequest);

const changeContact = createRoute({
  method: 'post',
  path: '/tenants/{tenant}/contacts/{contact}',
  middleware: bodyOfAtMost(LIMITS.jsonBodyBytesMax),
  request: { params: contactParams, body: jsonBody(changeContactRequest) },
  responses,
});

const removeContact = createRoute({
  method: 'delete',
  path: '/tenants/{tenant}/contacts/{contact}',
  request: { params: contactParams },
  responses,
});

const usage = createRoute({
  method: 'get',
  path: '/usage',
  request: { query: usageQuery.extend({ tenant: reference.optional() }) },
  responses: { 200: { description: 'By tenant and day', content: jsonContent(usageList) }, ...problemAnswer },
});

/** Changing tenants, for the command line over the local socket. */
export function addTenantRoutes(routes: OpenAPIHono<ServerEnvironment>, tenants: TenantAdministration): void {
  addStateRoutes(routes, tenants);
  addContactRoutes(routes, tenants);
  routes.openapi(usage, async (context) => {
    const { tenant = null, ...query } = context.req.valid('query');
    return context.json({ items: await tenants.usage(tenant, query) }, 200);
  });
}

function addStateRoutes(routes: OpenAPIHono<ServerEnvironment>, tenants: TenantAdministration): void {
  routes.openapi(show, async (context) =>
    context.json(await tenants.show(context.req.valid('param').tenant), 200),
  );
  routes.openapi(suspend, async (context) =>
    context.json(await tenants.suspend(context.req.valid('param').tenant), 200),
  );
  routes.openapi(resume, async (context) =>
    context.json(await tenants.resume(context.req.valid('param').tenant), 200),
  );
  routes.openapi(renewCode, async (context) =>
    context.json(await tenants.renewCode(context.req.valid('param').tenant), 200),
  );
  routes.openapi(keep, async (context) =>
    context.json(await tenants.keep(context.req.valid('param').tenant), 200),
  );
  routes.openapi(rename, async (context) => {
    const { name } = context.req.valid('json');
    return context.json(await tenants.rename(context.req.valid('param').tenant, name), 200);
  });
  routes.openapi(setModules, async (context) => {
    const { tenant } = context.req.valid('param');
    return context.json(await tenants.setModules(tenant, context.req.valid('json')), 200);
  });
  routes.openapi(scheduleDeletion, async (context) => {
    const { tenant } = context.req.valid('param');
    return context.json(await tenants.scheduleDeletion(tenant, context.req.valid('json')), 200);
  });
}

function addContactRoutes(routes: OpenAPIHono<ServerEnvironment>, tenants: TenantAdministration): void {
  routes.openapi(addContact, async (context) => {
    const { tenant } = context.req.valid('param');
    return context.json(await tenants.addContact(tenant, context.req.valid('json')), 200);
  });
  routes.openapi(changeContact, async (context) => {
    const { tenant, contact } = context.req.valid('param');
    return context.json(await tenants.changeContact(tenant, contact, context.req.valid('json')), 200);
  });
  routes.openapi(removeContact, async (context) => {
    const { tenant, contact } = context.req.valid('param');
    return context.json(await tenants.removeContact(tenant, contact), 200);
  });
}
