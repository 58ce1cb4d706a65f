import { OpenAPIHono } from '@hono/zod-openapi';
import { CofreError } from '@cofre/shared/errors';
import type { ServerEnvironment } from './server-environment.ts';

/** An empty set of routes that refuses requests against the schema as `invalid_request`, saying where. */
export function newRoutes(): OpenAPIHono<ServerEnvironment> {
  return new OpenAPIHono<ServerEnvironment>({
    defaultHook: (result) => {
      if (result.success) return;
      const [issue] = result.error.issues;
      const place = [result.target, ...(issue?.path ?? [])].join('.');
      throw new CofreError('invalid_request', {
        problem: `${place}: ${issue?.message ?? 'not as expected'}`,
      });
    },
  });
}
