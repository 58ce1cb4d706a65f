import type { OpenAPIHono } from '@hono/zod-openapi';
import { CofreError } from '@cofre/shared/errors';
import { AUTHORIZATION_SCHEME } from '@cofre/shared/wire/enrolment';
import type { Administration } from './administration/administration.ts';
import type { Authenticator } from './auth/authenticator.ts';
import type { ReadGrants } from './auth/read-grants.ts';
import type { Clock } from './clock.ts';
import { administrationRoutes } from './http/administration.routes.ts';
import { auditRoutes } from './http/audit.routes.ts';
import { chunkRoutes } from './http/chunks.routes.ts';
import { copiesRoutes } from './http/copies.routes.ts';
import { commitRoutes } from './http/commit.routes.ts';
import { DeviceAudit } from './http/device-audit.ts';
import { deviceGuard } from './http/device-guard.ts';
import { enrolmentRoutes } from './http/enrolment.routes.ts';
import { healthRoutes } from './http/health.routes.ts';
import { newRoutes } from './http/new-routes.ts';
import { objectRoutes } from './http/objects.routes.ts';
import { packRoutes } from './http/packs.routes.ts';
import { peopleAdministrationRoutes } from './http/people-administration.routes.ts';
import { peopleRoutes } from './http/people.routes.ts';
import { answerError } from './http/problem-response.ts';
import { requestLog } from './http/request-log.ts';
import { retentionRoutes } from './http/retention.routes.ts';
import type { ServerEnvironment } from './http/server-environment.ts';
import { sessionStartRoutes } from './http/session-start.routes.ts';
import { ownSessionRoutes } from './http/session.routes.ts';
import { sessionRoutes } from './http/sessions.routes.ts';
import { snapshotRoutes } from './http/snapshots.routes.ts';
import { trustRoutes } from './http/trust.routes.ts';
import type { UploadSlots } from './http/upload-slots.ts';
import type { Log } from './log.ts';
import type { PeopleServices } from './people/people-services.ts';
import type { DeviceDirectory } from './tenancy/devices.ts';
import type { Enrolments } from './tenancy/enrolment.ts';
import type { Vaults } from './vault/vault.ts';

export interface AppServices {
  readonly authenticator: Authenticator;
  readonly grants: ReadGrants;
  readonly enrolments: Enrolments;
  readonly devices: DeviceDirectory;
  readonly vaults: Vaults;
  readonly people: PeopleServices;
  readonly uploadSlots: UploadSlots;
  readonly clock: Clock;
  readonly log: Log;
  readonly serverVersion: string;
  /** False while the server stops. */
  readonly isReady: () => boolean;
}

/** Everything that devices and people reach over the network. */
export function createApp(services: AppServices): OpenAPIHono<ServerEnvironment> {
  const guard = deviceGuard(services.authenticator, services.vaults);
  const app = newRoutes();
  app.use(requestLog(services.log));
  app.route('/', healthRoutes(services.isReady));
  const audit = new DeviceAudit(services.people.audit, services.clock);
  app.use('/v1/enroll', audit.enrolment());
  app.route('/', enrolmentRoutes(services, guard));
  app.route('/', trustRoutes(services.grants, audit.ceremonies(guard)));
  app.route('/', objectRoutes(guard));
  app.route('/', sessionRoutes(guard));
  app.route('/', packRoutes(services.uploadSlots, guard));
  app.route('/', commitRoutes(guard));
  app.route('/', snapshotRoutes(services.devices, guard));
  app.route('/', chunkRoutes(audit.reading(guard)));
  for (const routes of [sessionStartRoutes, ownSessionRoutes, peopleRoutes, auditRoutes]) {
    app.route('/', routes(services.people));
  }
  describeApp(app, services.serverVersion);
  answerProblems(app);
  return app;
}

/** Everything that the command line reaches over the local socket, and nobody else. */
export function createAdministrationApp(
  administration: Administration,
  log: Log,
): OpenAPIHono<ServerEnvironment> {
  const app = newRoutes();
  app.use(requestLog(log));
  app.route('/', administrationRoutes(administration));
  app.route('/', retentionRoutes(administration.retention));
  app.route('/', peopleAdministrationRoutes(administration.people));
  app.route('/', copiesRoutes(administration));
  answerProblems(app);
  return app;
}

/** Makes every failure, and every address that there is not, a problem. */
function answerProblems(app: OpenAPIHono<ServerEnvironment>): void {
  app.onError((error, context) => answerError(error, context));
  app.notFound((context) => answerError(new CofreError('not_found', { what: 'such address' }), context));
}

function describeApp(app: OpenAPIHono<ServerEnvironment>, version: string): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'device', {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: `${AUTHORIZATION_SCHEME} DEVICE.SECRET: the id of the device, and its secret in base64url`,
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-cofre',
    description: 'The session of a person, from our own pages',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiToken', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API token of a person',
  });
  app.doc31('/openapi.json', { openapi: '3.1.0', info: { title: 'Cofre', version } });
}
