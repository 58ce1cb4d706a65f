import { CofreError } from '@cofre/shared/errors';
import type { AuthenticatedDevice } from '../auth/authenticated-device.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Vaults } from '../vault/vault.ts';
import type { Middleware } from './server-environment.ts';

/** Lets requests with a device's credential pass, and gives them that device and the vault of its tenant. */
export function deviceGuard(authenticator: Authenticator, vaults: Vaults): Middleware {
  return async (context, next) => {
    const device = await authenticator.authenticate(context.env.incoming.headers.authorization);
    context.set('device', device);
    context.set('vault', await vaults.open(device.tenantId));
    await next();
  };
}

/**
 * For what brings new content, and for sessions, which keep others from being collected; behind the device guard. What a
 * restore on a new computer needs goes on: enrolment, rosters, domain records, read grants.
 */
export const refuseSuspended: Middleware = async (context, next) => {
  requireNotSuspended(context.get('device'));
  await next();
};

/** @throws CofreError `tenant_suspended` */
export function requireNotSuspended({ isTenantSuspended }: AuthenticatedDevice): void {
  if (isTenantSuspended) throw new CofreError('tenant_suspended');
}
