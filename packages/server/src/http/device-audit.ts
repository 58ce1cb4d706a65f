import type { DeviceId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { AuditAction } from '@cofre/shared/wire/audit';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Clock } from '../clock.ts';
import { placeOf } from './person-guard.ts';
import type { Middleware, RequestContext } from './server-environment.ts';

/** What is recorded of a device: its method and route, as `PUT /v1/trust`. */
const RECORDED: Readonly<Record<string, AuditAction>> = {
  'PUT /v1/trust': 'keys.roster_put',
  'POST /v1/read-grants': 'keys.read_grant_shown',
};

/**
 * Writes down what devices do that people ask about later: key ceremonies, and reading content back (a restore, a
 * listing, a verification: the server can't tell them apart). Backups are not in here: snapshots tell of them.
 */
export class DeviceAudit {
  readonly #audit: AuditLog;
  readonly #clock: Clock;
  /** Since when a device reads. */
  readonly #reading = new Map<DeviceId, number>();

  constructor(audit: AuditLog, clock: Clock) {
    this.#audit = audit;
    this.#clock = clock;
  }

  /** The guard of devices, and after it the entry of what was done. It is on disk before the answer leaves. */
  ceremonies(guard: Middleware): Middleware {
    return (context, next) =>
      guard(context, async () => {
        await next();
        const action = RECORDED[`${context.req.method} ${context.req.path}`];
        if (action !== undefined && context.res.ok) await this.#record(context, action);
      });
  }

  /** The guard of devices, and after it an entry before the first piece of content leaves: one for a run, not a request. */
  reading(guard: Middleware): Middleware {
    return (context, next) =>
      guard(context, async () => {
        const { deviceId } = context.get('device');
        const nowMs = this.#clock();
        const sinceMs = this.#reading.get(deviceId);
        if (sinceMs === undefined || nowMs - sinceMs >= LIMITS.auditReadingMs) {
          await this.#record(context, 'content.read');
          this.#reading.set(deviceId, nowMs);
        }
        await next();
      });
  }

  /** After a device has joined. */
  enrolment(): Middleware {
    return async (context, next) => {
      await next();
      if (!context.res.ok) return;
      const device = (await context.res.clone().json()) as { tenantId: never; deviceId: string };
      await this.#audit.record({
        actor: { kind: 'device', id: device.deviceId, name: null, role: null },
        place: placeOf(context),
        action: 'device.enrolled',
        tenantId: device.tenantId,
        target: device.deviceId,
      });
    };
  }

  async #record(context: RequestContext, action: AuditAction): Promise<void> {
    const { deviceId, deviceName, tenantId, readsTenant } = context.get('device');
    await this.#audit.record({
      actor: { kind: 'device', id: deviceId, name: deviceName, role: null },
      place: placeOf(context),
      action,
      tenantId,
      target: deviceId,
      details: { reads: readsTenant ? 'whole tenant' : 'own' },
    });
  }
}
