import { eq } from 'drizzle-orm';
import { CofreError } from '@cofre/shared/errors';
import type { DeviceId, TenantId } from '@cofre/shared/ids';
import type { ApplianceDatabase } from './appliance-database.ts';
import type { Enrolled, Enrolment, NewInvitation } from './records.ts';
import { devices, invitations, tenants } from './schema.ts';

/** Invitations and what becomes of them, on the database thread. */
export function enrolmentOperations(database: ApplianceDatabase) {
  return {
    insertInvitation(tenantId: TenantId, invitation: NewInvitation): void {
      database
        .insert(invitations)
        .values({ ...invitation, tenantId })
        .run();
    },

    /**
     * Turns an invitation into a device, in one transaction. Repeated with the same keys it gives the same
     * device, so that a device whose answer was lost can ask again.
     * @throws CofreError `enrolment_code_unknown`, `enrolment_code_used`, `enrolment_code_expired`
     */
    enrol(enrolment: Enrolment): Enrolled {
      return database.transaction(() => enrolInTransaction(database, enrolment), { behavior: 'immediate' });
    },
  };
}

function enrolInTransaction(database: ApplianceDatabase, enrolment: Enrolment): Enrolled {
  const row = database
    .select({ invitation: invitations, tenantName: tenants.name })
    .from(invitations)
    .innerJoin(tenants, eq(tenants.id, invitations.tenantId))
    .where(eq(invitations.codeHash, enrolment.codeHash))
    .get();
  if (row === undefined) throw new CofreError('enrolment_code_unknown');
  const { invitation, tenantName } = row;
  const { tenantId } = invitation;
  if (invitation.deviceId !== null) {
    const isSame = isSameDevice(database, invitation.deviceId, enrolment);
    if (!isSame) throw new CofreError('enrolment_code_used');
    return { deviceId: invitation.deviceId, tenantId, tenantName };
  }
  if (invitation.expiresMs <= enrolment.nowMs) throw new CofreError('enrolment_code_expired');
  insertDevice(database, tenantId, enrolment);
  const used = { deviceId: enrolment.deviceId };
  database.update(invitations).set(used).where(eq(invitations.codeHash, enrolment.codeHash)).run();
  return { deviceId: enrolment.deviceId, tenantId, tenantName };
}

/**
 * The credential has to be the same too: signing keys are public, and whoever finds an old line must not be able to
 * give the device a credential of his own.
 */
function isSameDevice(database: ApplianceDatabase, deviceId: DeviceId, enrolment: Enrolment): boolean {
  const device = database
    .select({ signingKey: devices.signingKey, credentialHash: devices.credentialHash })
    .from(devices)
    .where(eq(devices.id, deviceId))
    .get();
  return device?.signingKey === enrolment.signingKey && device.credentialHash === enrolment.credentialHash;
}

function insertDevice(database: ApplianceDatabase, tenantId: TenantId, enrolment: Enrolment): void {
  const { deviceId, nowMs, name, platform, agentVersion, signingKey, inbox, credentialHash } = enrolment;
  database
    .insert(devices)
    .values({
      id: deviceId,
      tenantId,
      name,
      platform,
      agentVersion,
      signingKey,
      inbox,
      credentialHash,
      createdMs: nowMs,
    })
    .run();
}
