import { createRoute } from '@hono/zod-openapi';
import { LIMITS } from '@cofre/shared/limits';
import { deviceStatus, enrolRequest, enrolResponse } from '@cofre/shared/wire/enrolment';
import type { Clock } from '../clock.ts';
import type { DeviceDirectory } from '../tenancy/devices.ts';
import type { Enrolments } from '../tenancy/enrolment.ts';
import { quotaBytes } from '../tenancy/tenants.ts';
import { bodyOfAtMost } from './declared-body.ts';
import { newRoutes } from './new-routes.ts';
import { deviceSecurity, jsonBody, jsonContent, problemAnswer } from './schema-pieces.ts';
import type { Middleware } from './server-environment.ts';

const enrol = createRoute({
  method: 'post',
  path: '/v1/enroll',
  summary: 'Join with a one-time code',
  middleware: bodyOfAtMost(LIMITS.jsonBodyBytesMax),
  request: { body: jsonBody(enrolRequest) },
  responses: { 200: { description: 'The device', content: jsonContent(enrolResponse) }, ...problemAnswer },
});

const status = createRoute({
  method: 'get',
  path: '/v1/device',
  summary: 'What the device may know about itself and its tenant',
  security: deviceSecurity,
  responses: { 200: { description: 'The status', content: jsonContent(deviceStatus) }, ...problemAnswer },
});

export interface EnrolmentServices {
  readonly enrolments: Enrolments;
  readonly devices: DeviceDirectory;
  readonly clock: Clock;
  readonly serverVersion: string;
}

/** Joining, and asking afterwards who one is. Enrolment is the only route without a credential. */
export function enrolmentRoutes(services: EnrolmentServices, guard: Middleware) {
  const { enrolments, devices, clock, serverVersion } = services;
  const routes = newRoutes();
  routes.openapi(enrol, async (context) =>
    context.json(await enrolments.enrol(context.req.valid('json')), 200),
  );
  routes.openapi({ ...status, middleware: guard }, async (context) => {
    const device = context.get('device');
    const { usedBytes } = await context.get('vault').statistics();
    const use = { usedBytes, quotaBytes: quotaBytes({ modules: device.tenantModules }) };
    const answer = {
      tenantId: device.tenantId,
      tenantName: device.tenantName,
      deviceId: device.deviceId,
      deviceName: device.deviceName,
      isSuspended: device.isTenantSuspended,
      ...use,
      quotaWarning: await devices.quotaWarning(device, use, clock()),
      serverVersion,
      serviceTime: new Date(clock()).toISOString(),
    };
    return context.json(answer, 200);
  });
  return routes;
}
