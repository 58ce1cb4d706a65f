import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import type { ZodType } from 'zod';
import { LIMITS } from '@cofre/shared/limits';
import {
  deletedSnapshots,
  deleteSnapshotsRequest,
  retentionMarked,
  retentionOverview,
  retentionPeriods,
  retentionPeriodsRequest,
  retentionPreview,
  retentionPreviewRequest,
  retentionSetRequest,
  undeletedSnapshots,
  undeleteRequest,
} from '@cofre/shared/wire/retention';
import type { RetentionAdministration } from '../administration/retention-administration.ts';
import { bodyOfAtMost } from './declared-body.ts';
import { newRoutes } from './new-routes.ts';
import { jsonBody, jsonContent, problemAnswer } from './schema-pieces.ts';
import type { ServerEnvironment } from './server-environment.ts';

const params = z.object({ tenant: z.string().min(1).max(1024) });

function answer<Schema extends ZodType>(description: string, schema: Schema) {
  return { 200: { description, content: jsonContent(schema) }, ...problemAnswer };
}

/** A question with a body, about one tenant. */
function question<Path extends string, Request extends ZodType, Answer extends ZodType>(
  path: Path,
  request: Request,
  description: string,
  schema: Answer,
) {
  return createRoute({
    method: 'post',
    path,
    middleware: bodyOfAtMost(LIMITS.jsonBodyBytesMax),
    request: { params, body: jsonBody(request) },
    responses: answer(description, schema),
  });
}

const overview = createRoute({
  method: 'get',
  path: '/tenants/{tenant}/retention',
  request: { params },
  responses: answer('What is set', retentionOverview),
});
const choose = question('/tenants/{tenant}/retention', retentionSetRequest, 'What is set', retentionOverview);
const preview = question(
  '/tenants/{tenant}/retention/preview',
  retentionPreviewRequest,
  'What stays and goes',
  retentionPreview,
);
const apply = createRoute({
  method: 'post',
  path: '/tenants/{tenant}/retention/apply',
  request: { params },
  responses: answer('How many were deleted', retentionMarked),
});
const deleteSnapshots = question(
  '/tenants/{tenant}/snapshots/delete',
  deleteSnapshotsRequest,
  'What was deleted',
  deletedSnapshots,
);
const undelete = question(
  '/tenants/{tenant}/snapshots/undelete',
  undeleteRequest,
  'What came back',
  undeletedSnapshots,
);
const setPeriods = question(
  '/tenants/{tenant}/periods',
  retentionPeriodsRequest,
  'What is in force',
  retentionPeriods,
);

/** Keeping and deleting snapshots, for the command line over the local socket. */
export function retentionRoutes(retention: RetentionAdministration): OpenAPIHono<ServerEnvironment> {
  const routes = newRoutes();
  routes.openapi(overview, async (context) =>
    context.json(await retention.overview(context.req.valid('param').tenant), 200),
  );
  routes.openapi(choose, async (context) =>
    context.json(await retention.choose(context.req.valid('param').tenant, context.req.valid('json')), 200),
  );
  routes.openapi(preview, async (context) =>
    context.json(await retention.preview(context.req.valid('param').tenant, context.req.valid('json')), 200),
  );
  routes.openapi(apply, async (context) =>
    context.json(await retention.apply(context.req.valid('param').tenant), 200),
  );
  routes.openapi(deleteSnapshots, async (context) => {
    const { tenant } = context.req.valid('param');
    return context.json(await retention.deleteSnapshots(tenant, context.req.valid('json')), 200);
  });
  routes.openapi(undelete, async (context) => {
    const { tenant } = context.req.valid('param');
    return context.json(await retention.undelete(tenant, context.req.valid('json').snapshot), 200);
  });
  routes.openapi(setPeriods, async (context) => {
    const { tenant } = context.req.valid('param');
    const { lockMs, softDeleteMs } = context.req.valid('json');
    const periods = {
      ...(lockMs === undefined ? {} : { lockMs }),
      ...(softDeleteMs === undefined ? {} : { softDeleteMs }),
    };
    return context.json(await retention.setPeriods(tenant, periods), 200);
  });
  return routes;
}
