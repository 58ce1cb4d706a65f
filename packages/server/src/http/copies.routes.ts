import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { applianceCopy, applianceCopyList } from '@cofre/shared/wire/appliance-copies';
import type { CopiesAdministration } from '../administration/copies-administration.ts';
import { newRoutes } from './new-routes.ts';
import { jsonContent, problemAnswer } from './schema-pieces.ts';
import type { ServerEnvironment } from './server-environment.ts';

const copyDirectory = createRoute({
  method: 'post',
  path: '/copies',
  responses: { 200: { description: 'The copy', content: jsonContent(applianceCopy) }, ...problemAnswer },
});

const listCopies = createRoute({
  method: 'get',
  path: '/copies',
  responses: {
    200: { description: 'All copies', content: jsonContent(applianceCopyList) },
    ...problemAnswer,
  },
});

/** Copies of the appliance's own database, for the command line over the local socket. */
export function copiesRoutes(administration: CopiesAdministration): OpenAPIHono<ServerEnvironment> {
  const routes = newRoutes();
  routes.openapi(copyDirectory, async (context) => context.json(await administration.copyDirectory(), 200));
  routes.openapi(listCopies, async (context) =>
    context.json({ items: await administration.listCopies() }, 200),
  );
  return routes;
}
