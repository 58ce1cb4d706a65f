import { createRoute, z } from '@hono/zod-openapi';
import { LIMITS } from '@cofre/shared/limits';
import {
  apiTokenId,
  apiTokenList,
  changeUserRequest,
  createApiTokenRequest,
  createdApiToken,
  invitedPerson,
  invitePersonRequest,
  oneTimeLink,
  resetPasswordRequest,
  userId,
  userItem,
  userPage,
  usersQuery,
} from '@cofre/shared/wire/people';
import type { PeopleServices } from '../people/people-services.ts';
import { bodyOfAtMost } from './declared-body.ts';
import { newRoutes } from './new-routes.ts';
import { personGuard, requires } from './person-guard.ts';
import { jsonBody, jsonContent, personSecurity, problemAnswer, sessionSecurity } from './schema-pieces.ts';

const userParams = z.object({ id: userId });

const listUsers = createRoute({
  method: 'get',
  path: '/v1/users',
  summary: 'People: your tenant’s; for the provider its own, or those of the tenant that it names',
  security: personSecurity,
  request: { query: usersQuery },
  responses: { 200: { description: 'A page', content: jsonContent(userPage) }, ...problemAnswer },
});

const readUser = createRoute({
  method: 'get',
  path: '/v1/users/{id}',
  summary: 'One person',
  security: personSecurity,
  request: { params: userParams },
  responses: { 200: { description: 'The person', content: jsonContent(userItem) }, ...problemAnswer },
});

const changeUser = createRoute({
  method: 'put',
  path: '/v1/users/{id}',
  summary: 'Change name, role and devices of a person, or disable the account',
  security: sessionSecurity,
  request: { params: userParams, body: jsonBody(changeUserRequest) },
  responses: { 200: { description: 'The person', content: jsonContent(userItem) }, ...problemAnswer },
});

const resetPassword = createRoute({
  method: 'post',
  path: '/v1/users/{id}/password-reset',
  summary: 'A one-time link to set another password. It gives access to nobody’s backups: those need the kit',
  security: sessionSecurity,
  request: { params: userParams, body: jsonBody(resetPasswordRequest) },
  responses: { 200: { description: 'The link', content: jsonContent(oneTimeLink) }, ...problemAnswer },
});

const invitePerson = createRoute({
  method: 'post',
  path: '/v1/invitations',
  summary: 'Make an account, and the one-time link that activates it',
  security: sessionSecurity,
  request: { body: jsonBody(invitePersonRequest) },
  responses: {
    200: { description: 'The person and the link', content: jsonContent(invitedPerson) },
    ...problemAnswer,
  },
});

const listTokens = createRoute({
  method: 'get',
  path: '/v1/api-tokens',
  summary: 'Your API tokens',
  security: sessionSecurity,
  responses: { 200: { description: 'The tokens', content: jsonContent(apiTokenList) }, ...problemAnswer },
});

const createToken = createRoute({
  method: 'post',
  path: '/v1/api-tokens',
  summary: 'Make an API token with some of your permissions; its secret is in the answer only',
  security: sessionSecurity,
  request: { body: jsonBody(createApiTokenRequest) },
  responses: { 200: { description: 'The token', content: jsonContent(createdApiToken) }, ...problemAnswer },
});

const revokeToken = createRoute({
  method: 'delete',
  path: '/v1/api-tokens/{id}',
  summary: 'Revoke an API token',
  security: sessionSecurity,
  request: { params: z.object({ id: apiTokenId }) },
  responses: { 204: { description: 'Revoked' }, ...problemAnswer },
});

/** People, their invitations, and one's own API tokens. */
export function peopleRoutes(services: PeopleServices) {
  const { people, clock } = services;
  const routes = newRoutes();
  const guard = personGuard(services);
  const reading = [guard, requires('users.read', clock)];
  const managing = [guard, bodyOfAtMost(LIMITS.jsonBodyBytesMax), requires('users.manage', clock)];
  routes.openapi({ ...listUsers, middleware: reading }, async (context) =>
    context.json(await people.list(context.get('person'), context.req.valid('query')), 200),
  );
  routes.openapi({ ...readUser, middleware: reading }, async (context) =>
    context.json(await people.get(context.get('person'), context.req.valid('param').id), 200),
  );
  routes.openapi({ ...changeUser, middleware: managing }, async (context) => {
    const { id } = context.req.valid('param');
    return context.json(await people.change(context.get('person'), id, context.req.valid('json')), 200);
  });
  routes.openapi({ ...resetPassword, middleware: managing }, async (context) => {
    const { id } = context.req.valid('param');
    const { removesFactors } = context.req.valid('json');
    return context.json(await people.resetPassword(context.get('person'), id, removesFactors), 200);
  });
  routes.openapi({ ...invitePerson, middleware: managing }, async (context) =>
    context.json(await people.invite(context.get('person'), context.req.valid('json')), 200),
  );
  addTokenRoutes(routes, services);
  return routes;
}

function addTokenRoutes(routes: ReturnType<typeof newRoutes>, services: PeopleServices): void {
  const { tokens } = services;
  const guard = personGuard(services);
  const withBody = [guard, bodyOfAtMost(LIMITS.jsonBodyBytesMax)];
  routes.openapi({ ...listTokens, middleware: guard }, async (context) =>
    context.json({ items: await tokens.list(context.get('person')) }, 200),
  );
  routes.openapi({ ...createToken, middleware: withBody }, async (context) =>
    context.json(await tokens.create(context.get('person'), context.req.valid('json')), 200),
  );
  routes.openapi({ ...revokeToken, middleware: guard }, async (context) => {
    await tokens.revoke(context.get('person'), context.req.valid('param').id);
    return context.body(null, 204);
  });
}
