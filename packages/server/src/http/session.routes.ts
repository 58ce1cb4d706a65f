import { createRoute, z } from '@hono/zod-openapi';
import { LIMITS } from '@cofre/shared/limits';
import {
  changePasswordRequest,
  freshProofAnswer,
  freshProofRequest,
  passkeyList,
  passkeyOptions,
  passkeyRegistration,
  recoveryCodes,
  sessionInfo,
  signOutQuery,
  totpBegun,
  totpConfirmRequest,
} from '@cofre/shared/wire/sign-in';
import type { PeopleServices } from '../people/people-services.ts';
import { bodyOfAtMost } from './declared-body.ts';
import { newRoutes } from './new-routes.ts';
import { personGuard } from './person-guard.ts';
import { jsonBody, jsonContent, personSecurity, problemAnswer, sessionSecurity } from './schema-pieces.ts';
import { takeSession } from './session-cookie.ts';

const readSession = createRoute({
  method: 'get',
  path: '/v1/session',
  summary: 'Who is signed in, and what he may do',
  security: personSecurity,
  responses: { 200: { description: 'The session', content: jsonContent(sessionInfo) }, ...problemAnswer },
});

const signOut = createRoute({
  method: 'delete',
  path: '/v1/session',
  summary: 'Sign out, here or everywhere',
  security: sessionSecurity,
  request: { query: signOutQuery },
  responses: { 204: { description: 'Signed out' }, ...problemAnswer },
});

const refreshProof = createRoute({
  method: 'post',
  path: '/v1/session/proof',
  summary: 'Prove again to be it: what destroys or exports is then open for some minutes',
  security: sessionSecurity,
  request: { body: jsonBody(freshProofRequest) },
  responses: { 200: { description: 'Until when', content: jsonContent(freshProofAnswer) }, ...problemAnswer },
});

const beginPasskeyProof = createRoute({
  method: 'post',
  path: '/v1/session/proof/passkey-options',
  summary: 'What `navigator.credentials.get` takes, for a fresh proof',
  security: sessionSecurity,
  responses: { 200: { description: 'A challenge', content: jsonContent(passkeyOptions) }, ...problemAnswer },
});

const changePassword = createRoute({
  method: 'put',
  path: '/v1/session/password',
  summary: 'Change the password; all other sessions end',
  security: sessionSecurity,
  request: { body: jsonBody(changePasswordRequest) },
  responses: { 204: { description: 'Changed' }, ...problemAnswer },
});

const beginTotp = createRoute({
  method: 'post',
  path: '/v1/session/totp',
  summary: 'A secret for an authenticator app, which counts once a code of it was shown',
  security: sessionSecurity,
  responses: { 200: { description: 'The secret', content: jsonContent(totpBegun) }, ...problemAnswer },
});

const confirmTotp = createRoute({
  method: 'put',
  path: '/v1/session/totp',
  summary: 'Show a code of the authenticator app; gives recovery codes when there are none',
  security: sessionSecurity,
  request: { body: jsonBody(totpConfirmRequest) },
  responses: { 200: { description: 'Codes', content: jsonContent(recoveryCodes) }, ...problemAnswer },
});

const removeTotp = createRoute({
  method: 'delete',
  path: '/v1/session/totp',
  summary: 'Give the authenticator app up',
  security: sessionSecurity,
  responses: { 204: { description: 'Given up' }, ...problemAnswer },
});

const makeRecoveryCodes = createRoute({
  method: 'post',
  path: '/v1/session/recovery-codes',
  summary: 'New recovery codes; earlier ones stop working',
  security: sessionSecurity,
  responses: { 200: { description: 'Codes', content: jsonContent(recoveryCodes) }, ...problemAnswer },
});

const listPasskeys = createRoute({
  method: 'get',
  path: '/v1/session/passkeys',
  summary: 'Your passkeys',
  security: sessionSecurity,
  responses: { 200: { description: 'Passkeys', content: jsonContent(passkeyList) }, ...problemAnswer },
});

const beginPasskey = createRoute({
  method: 'post',
  path: '/v1/session/passkeys/options',
  summary: 'What `navigator.credentials.create` takes',
  security: sessionSecurity,
  responses: { 200: { description: 'A challenge', content: jsonContent(passkeyOptions) }, ...problemAnswer },
});

const addPasskey = createRoute({
  method: 'post',
  path: '/v1/session/passkeys',
  summary: 'Add the passkey that the browser made',
  security: sessionSecurity,
  request: { body: jsonBody(passkeyRegistration) },
  responses: { 204: { description: 'Added' }, ...problemAnswer },
});

const removePasskey = createRoute({
  method: 'delete',
  path: '/v1/session/passkeys/{id}',
  summary: 'Remove a passkey',
  security: sessionSecurity,
  request: { params: z.object({ id: z.string().max(2048) }) },
  responses: { 204: { description: 'Removed' }, ...problemAnswer },
});

/** One's own session, and one's own ways in. */
export function ownSessionRoutes(services: PeopleServices) {
  const { account, passkeys } = services;
  const routes = newRoutes();
  const guard = personGuard(services);
  const withBody = [guard, bodyOfAtMost(LIMITS.jsonBodyBytesMax)];
  routes.openapi({ ...readSession, middleware: guard }, (context) =>
    context.json(account.info(context.get('person')), 200),
  );
  routes.openapi({ ...signOut, middleware: guard }, async (context) => {
    await account.signOut(context.get('person'), context.req.valid('query').everywhere === 'true');
    takeSession(context);
    return context.body(null, 204);
  });
  routes.openapi({ ...refreshProof, middleware: withBody }, async (context) =>
    context.json(await account.refreshProof(context.get('person'), context.req.valid('json')), 200),
  );
  routes.openapi({ ...beginPasskeyProof, middleware: guard }, async (context) =>
    context.json(await passkeys.beginProving(), 200),
  );
  routes.openapi({ ...changePassword, middleware: withBody }, async (context) => {
    await account.changePassword(context.get('person'), context.req.valid('json'));
    return context.body(null, 204);
  });
  addFactorRoutes(routes, services);
  return routes;
}

function addFactorRoutes(routes: ReturnType<typeof newRoutes>, services: PeopleServices): void {
  const { account } = services;
  const guard = personGuard(services);
  const withBody = [guard, bodyOfAtMost(LIMITS.jsonBodyBytesMax)];
  routes.openapi({ ...beginTotp, middleware: guard }, async (context) =>
    context.json(await account.beginTotp(context.get('person')), 200),
  );
  routes.openapi({ ...confirmTotp, middleware: withBody }, async (context) => {
    const { code } = context.req.valid('json');
    return context.json({ codes: await account.confirmTotp(context.get('person'), code) }, 200);
  });
  routes.openapi({ ...removeTotp, middleware: guard }, async (context) => {
    await account.removeTotp(context.get('person'));
    return context.body(null, 204);
  });
  routes.openapi({ ...makeRecoveryCodes, middleware: guard }, async (context) =>
    context.json({ codes: await account.makeRecoveryCodes(context.get('person')) }, 200),
  );
  routes.openapi({ ...listPasskeys, middleware: guard }, async (context) =>
    context.json({ items: await account.listPasskeys(context.get('person')) }, 200),
  );
  routes.openapi({ ...beginPasskey, middleware: guard }, async (context) =>
    context.json(await account.beginPasskey(context.get('person')), 200),
  );
  routes.openapi({ ...addPasskey, middleware: withBody }, async (context) => {
    await account.finishPasskey(context.get('person'), context.req.valid('json'));
    return context.body(null, 204);
  });
  routes.openapi({ ...removePasskey, middleware: guard }, async (context) => {
    await account.removePasskey(context.get('person'), context.req.valid('param').id);
    return context.body(null, 204);
  });
}
