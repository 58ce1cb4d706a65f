import { createRoute } from '@hono/zod-openapi';
import { auditPage, auditQuery } from '@cofre/shared/wire/audit';
import type { PeopleServices } from '../people/people-services.ts';
import { newRoutes } from './new-routes.ts';
import { sendStream } from './outgoing-stream.ts';
import { personGuard, requires } from './person-guard.ts';
import { jsonContent, personSecurity, problemAnswer, sessionSecurity } from './schema-pieces.ts';

const readAudit = createRoute({
  method: 'get',
  path: '/v1/audit',
  summary: 'The audit log: your tenant’s part; for the provider its own, or that of the tenant that it names',
  security: personSecurity,
  request: { query: auditQuery },
  responses: { 200: { description: 'A page', content: jsonContent(auditPage) }, ...problemAnswer },
});

const exportAudit = createRoute({
  method: 'get',
  path: '/v1/audit/export',
  summary: 'The audit log to take away, one JSON object a line; for the provider the whole chain',
  security: sessionSecurity,
  request: { query: auditQuery.pick({ tenant: true }) },
  responses: {
    200: { description: 'Entries, as application/jsonl' },
    ...problemAnswer,
  },
});

/** Who did what, when and where. */
export function auditRoutes(services: PeopleServices) {
  const { auditReader, clock } = services;
  const routes = newRoutes();
  const guard = personGuard(services);
  routes.openapi({ ...readAudit, middleware: [guard, requires('audit.read', clock)] }, async (context) =>
    context.json(await auditReader.page(context.get('person'), context.req.valid('query')), 200),
  );
  routes.openapi(
    { ...exportAudit, middleware: [guard, requires('audit.export', clock)] },
    async (context) => {
      const lines = auditReader.export(context.get('person'), context.req.valid('query').tenant);
      return await sendStream(context, 'application/jsonl', bytesOf(lines));
    },
  );
  return routes;
}

async function* bytesOf(lines: AsyncIterable<string>): AsyncGenerator<Buffer> {
  for await (const line of lines) yield Buffer.from(line, 'utf8');
}
