import { CofreError } from '@cofre/shared/errors';
import { decodeRoster, type Roster, type RosterDevice } from '@cofre/shared/format/envelope/roster';
import { openSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { sha256 } from '@cofre/shared/hash';
import type { DeviceId } from '@cofre/shared/ids';
import type { AgentContext } from '../state/agent-context.ts';
import { rememberRoster } from './roster-memory.ts';

/** The roster that the pinned authority signed: who belongs to the tenant. */
export interface ConfirmedRoster {
  readonly roster: Roster;
  /** Null for a device that the authority never named. Revoked ones are there, and say so. */
  device(deviceId: DeviceId): RosterDevice | null;
}

/**
 * Fetches the roster and checks that it is what the authority pinned at enrolment signed for this tenant,
 * and no older than what this computer saw before.
 * @throws CofreError `untrusted` otherwise
 */
export async function fetchConfirmedRoster(context: AgentContext): Promise<ConfirmedRoster> {
  const { identity, client, stateFolder } = context;
  const trust = await client.trust();
  if (trust.authorityKey !== identity.authorityKey) refuse('it is not the authority pinned at enrolment');
  if (trust.roster === null) refuse('it has no list of devices');
  const object = Buffer.from(trust.roster, 'base64');
  const payload = openSignedObject(object, 'roster', Buffer.from(identity.authorityKey, 'hex'));
  const roster = decodeRoster(payload);
  if (roster.tenantId !== identity.tenantId) refuse('its list of devices is of another account');
  await rememberRoster(stateFolder, { version: roster.version, sha256: sha256(object).toString('hex') });
  return confirmedRoster(roster);
}

/** A roster whose signature was checked, with its devices by id. */
export function confirmedRoster(roster: Roster): ConfirmedRoster {
  const devices = new Map(roster.devices.map((device) => [device.deviceId, device]));
  return { roster, device: (deviceId) => devices.get(deviceId) ?? null };
}

function refuse(problem: string): never {
  throw new CofreError('untrusted', { what: 'an authority', problem });
}
