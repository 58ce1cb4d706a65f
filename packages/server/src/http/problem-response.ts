import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { CofreError, type Language } from '@cofre/shared/errors';
import type { Problem } from '@cofre/shared/wire/problem';
import { preferredLanguage } from './language.ts';
import { MissingChunksError } from './missing-chunks-error.ts';
import type { RequestContext } from './server-environment.ts';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** An error on its way to the client, as the wire has it. */
export function problemFrom(error: CofreError, language: Language, requestId: string): Problem {
  const { code, retryable, parameters } = error;
  return { code, ...error.describe(language), retryable, requestId, parameters };
}

/** The one place where errors become answers: ours keep their code, of all others only the request id goes out. */
export function answerError(error: unknown, context: RequestContext): Response {
  const reported = reportError(error, context);
  const language = preferredLanguage(context.req.header('accept-language'));
  const problem = problemFrom(reported, language, context.get('requestId'));
  const missing = reported instanceof MissingChunksError ? { missing: reported.missing } : {};
  const body = JSON.stringify({ ...problem, ...missing });
  const { seconds } = reported.parameters;
  if (reported.httpStatus === 429) context.header('retry-after', String(seconds));
  return context.body(body, reported.httpStatus as ContentfulStatusCode, {
    'content-type': PROBLEM_MEDIA_TYPE,
    'content-language': language,
  });
}

/** Logs what a person should look at, and gives what the client may know. */
export function reportError(error: unknown, context: RequestContext): CofreError {
  const requestId = context.get('requestId');
  const known = knownError(error, context);
  if (known === null || known.httpStatus >= 500) {
    context
      .get('log')
      .error({ requestId, error: describe(error), cause: describeCause(error) }, 'request failed');
  }
  const problem = `request ${requestId} in the log of the server`;
  const reported = known ?? new CofreError('internal', { problem });
  context.set('problemCode', reported.code);
  return reported;
}

function knownError(error: unknown, context: RequestContext): CofreError | null {
  if (error instanceof CofreError) return error;
  const { incoming } = context.env;
  if (incoming.destroyed && !incoming.complete) return new CofreError('interrupted');
  // What the framework refuses by itself: a body that is not JSON, or not said to be.
  if (error instanceof HTTPException && error.status < 500) {
    return new CofreError('invalid_request', { problem: error.message });
  }
  return null;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : typeof error;
}

function describeCause(error: unknown): string | undefined {
  return error instanceof Error && error.cause !== undefined ? describe(error.cause) : undefined;
}
