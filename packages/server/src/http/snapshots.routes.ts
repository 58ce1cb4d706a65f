import { createRoute } from '@hono/zod-openapi';
import { deviceList, snapshotPage, snapshotsQuery } from '@cofre/shared/wire/snapshots';
import type { DeviceDirectory } from '../tenancy/devices.ts';
import { newRoutes } from './new-routes.ts';
import { deviceSecurity, jsonContent, problemAnswer } from './schema-pieces.ts';
import type { Middleware } from './server-environment.ts';

const listSnapshots = createRoute({
  method: 'get',
  path: '/v1/snapshots',
  summary: 'Snapshots that this credential may read, in the order in which they were taken',
  security: deviceSecurity,
  request: { query: snapshotsQuery },
  responses: { 200: { description: 'A page', content: jsonContent(snapshotPage) }, ...problemAnswer },
});

const listDevices = createRoute({
  method: 'get',
  path: '/v1/devices',
  summary: 'Devices that this credential may read: its own, or all with a grant',
  security: deviceSecurity,
  responses: { 200: { description: 'The devices', content: jsonContent(deviceList) }, ...problemAnswer },
});

/** What there is to restore, and of whom. */
export function snapshotRoutes(devices: DeviceDirectory, guard: Middleware) {
  const routes = newRoutes();
  routes.openapi({ ...listSnapshots, middleware: guard }, async (context) => {
    const { set, device, ...page } = context.req.valid('query');
    const query = { ...page, setId: set, deviceId: device };
    return context.json(await context.get('vault').listSnapshots(context.get('device'), query), 200);
  });
  routes.openapi({ ...listDevices, middleware: guard }, async (context) =>
    context.json({ items: await devices.visibleTo(context.get('device')) }, 200),
  );
  return routes;
}
