import { createRoute } from '@hono/zod-openapi';
import type { ZodType } from 'zod';
import { LIMITS } from '@cofre/shared/limits';
import { acceptLinkRequest } from '@cofre/shared/wire/people';
import {
  firstRunRequest,
  passkeyAssertion,
  passkeyOptions,
  recoveryCodeRequest,
  secondFactorRequest,
  signInAnswer,
  signInRequest,
  type SignInAnswer,
} from '@cofre/shared/wire/sign-in';
import type { SignedIn } from '../auth/sign-in.ts';
import type { PeopleServices } from '../people/people-services.ts';
import { bodyOfAtMost } from './declared-body.ts';
import { newRoutes } from './new-routes.ts';
import { placeOf } from './person-guard.ts';
import { fromOurPages } from './same-site.ts';
import { jsonBody, jsonContent, openSecurity, problemAnswer } from './schema-pieces.ts';
import type { RequestContext } from './server-environment.ts';
import { giveSession } from './session-cookie.ts';

/** A question that answers with a session, or with what is still owed. */
function signInRoute<Path extends string, Request extends ZodType>(
  path: Path,
  summary: string,
  request: Request,
) {
  return createRoute({
    method: 'post',
    path,
    summary,
    security: openSecurity,
    request: { body: jsonBody(request) },
    responses: {
      200: { description: 'Signed in, or a second factor is owed', content: jsonContent(signInAnswer) },
      ...problemAnswer,
    },
  });
}

const firstRun = signInRoute(
  '/v1/first-run',
  'Make the first provider admin, with the token from the log of the server',
  firstRunRequest,
);
const byPassword = signInRoute('/v1/sign-in/password', 'Sign in with a password', signInRequest);
const byTotp = signInRoute('/v1/sign-in/totp', 'Give the code of the authenticator app', secondFactorRequest);
const byRecoveryCode = signInRoute(
  '/v1/sign-in/recovery-code',
  'Give a recovery code instead',
  recoveryCodeRequest,
);
const byPasskey = signInRoute('/v1/sign-in/passkey', 'Sign in with a passkey', passkeyAssertion);

const beginPasskey = createRoute({
  method: 'post',
  path: '/v1/sign-in/passkey/options',
  summary: 'What `navigator.credentials.get` takes',
  security: openSecurity,
  responses: { 200: { description: 'A challenge', content: jsonContent(passkeyOptions) }, ...problemAnswer },
});

const acceptLink = createRoute({
  method: 'post',
  path: '/v1/invitations/accept',
  summary: 'Set a password with a one-time link: activates an account, or replaces a forgotten password',
  security: openSecurity,
  request: { body: jsonBody(acceptLinkRequest) },
  responses: { 204: { description: 'Set; sign in with it' }, ...problemAnswer },
});

/** How people come in. None of these wants a session; each takes requests from our own pages only. */
export function sessionStartRoutes(services: PeopleServices) {
  const { signIn, passkeys, links } = services;
  const routes = newRoutes();
  const ours = fromOurPages(services.origin);
  const middleware = [ours, bodyOfAtMost(LIMITS.jsonBodyBytesMax)];
  const answer = async (context: RequestContext, result: SignedIn) =>
    context.json(await answerFrom(services, context, result), 200);
  routes.openapi({ ...firstRun, middleware }, async (context) =>
    answer(context, await services.firstRun.complete(context.req.valid('json'), placeOf(context))),
  );
  routes.openapi({ ...byPassword, middleware }, async (context) =>
    answer(context, await signIn.byPassword(context.req.valid('json'), placeOf(context))),
  );
  routes.openapi({ ...byTotp, middleware }, async (context) =>
    answer(context, await signIn.bySecondFactor(context.req.valid('json'), 'totp', placeOf(context))),
  );
  routes.openapi({ ...byRecoveryCode, middleware }, async (context) =>
    answer(
      context,
      await signIn.bySecondFactor(context.req.valid('json'), 'recovery_code', placeOf(context)),
    ),
  );
  routes.openapi({ ...byPasskey, middleware }, async (context) =>
    answer(context, await signIn.byPasskey(context.req.valid('json'), placeOf(context))),
  );
  routes.openapi({ ...beginPasskey, middleware: ours }, async (context) =>
    context.json(await passkeys.beginProving(), 200),
  );
  routes.openapi({ ...acceptLink, middleware }, async (context) => {
    const { token, password } = context.req.valid('json');
    await links.accept(token, password, placeOf(context));
    return context.body(null, 204);
  });
  return routes;
}

async function answerFrom(
  { authenticator, account }: PeopleServices,
  context: RequestContext,
  result: SignedIn,
): Promise<SignInAnswer> {
  if (result.state === 'second_factor') return result;
  const person = await authenticator.bySession(result.secret, placeOf(context));
  giveSession(context, result.secret);
  return { state: 'signed_in', session: account.info(person) };
}
