import { createRoute, z } from '@hono/zod-openapi';
import { LIMITS } from '@cofre/shared/limits';
import { auditHead, auditPage, auditVerification } from '@cofre/shared/wire/audit';
import {
  firstRunToken,
  hostCreatesUser,
  hostResetsPassword,
  invitedPerson,
  oneTimeLink,
  userList,
} from '@cofre/shared/wire/people';
import type { PeopleAdministration } from '../administration/people-administration.ts';
import { bodyOfAtMost } from './declared-body.ts';
import { newRoutes } from './new-routes.ts';
import { jsonBody, jsonContent, problemAnswer } from './schema-pieces.ts';

const middleware = bodyOfAtMost(LIMITS.jsonBodyBytesMax);
const tenantQuery = z.object({ tenant: z.string().min(1).max(1024).optional() });

const create = createRoute({
  method: 'post',
  path: '/users',
  middleware,
  request: { body: jsonBody(hostCreatesUser) },
  responses: { 200: { description: 'The person', content: jsonContent(invitedPerson) }, ...problemAnswer },
});

const list = createRoute({
  method: 'get',
  path: '/users',
  request: { query: tenantQuery },
  responses: { 200: { description: 'People', content: jsonContent(userList) }, ...problemAnswer },
});

const resetPassword = createRoute({
  method: 'post',
  path: '/users/password-reset',
  middleware,
  request: { body: jsonBody(hostResetsPassword) },
  responses: { 200: { description: 'The link', content: jsonContent(oneTimeLink) }, ...problemAnswer },
});

const makeFirstRunToken = createRoute({
  method: 'post',
  path: '/first-run-token',
  responses: { 200: { description: 'The token', content: jsonContent(firstRunToken) }, ...problemAnswer },
});

const readAudit = createRoute({
  method: 'get',
  path: '/audit',
  request: { query: tenantQuery.extend({ after: z.coerce.number().int().nonnegative() }) },
  responses: { 200: { description: 'A page', content: jsonContent(auditPage) }, ...problemAnswer },
});

const verifyAudit = createRoute({
  method: 'post',
  path: '/audit/verify',
  middleware,
  request: { body: jsonBody(z.object({ head: auditHead.nullable() })) },
  responses: {
    200: { description: 'What was found', content: jsonContent(auditVerification) },
    ...problemAnswer,
  },
});

/** What the command line asks about people and the audit log, over the local socket alone. */
export function peopleAdministrationRoutes(people: PeopleAdministration) {
  const routes = newRoutes();
  routes.openapi(create, async (context) =>
    context.json(await people.create(context.req.valid('json')), 200),
  );
  routes.openapi(list, async (context) =>
    context.json({ items: await people.list(context.req.valid('query').tenant ?? null) }, 200),
  );
  routes.openapi(resetPassword, async (context) => {
    const { login, removesFactors } = context.req.valid('json');
    return context.json(await people.resetPassword(login, removesFactors), 200);
  });
  routes.openapi(makeFirstRunToken, async (context) => context.json(await people.firstRunToken(), 200));
  routes.openapi(readAudit, async (context) => {
    const { tenant = null, after } = context.req.valid('query');
    return context.json(await people.auditPage(tenant, after), 200);
  });
  routes.openapi(verifyAudit, async (context) =>
    context.json(await people.verifyAudit(context.req.valid('json').head), 200),
  );
  return routes;
}
