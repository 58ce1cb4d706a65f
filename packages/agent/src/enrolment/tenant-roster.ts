import type { RecoveryKey } from '@cofre/shared/crypto/recovery-key';
import { CofreError } from '@cofre/shared/errors';
import {
  decodeRoster,
  encodeRoster,
  type Roster,
  type RosterDevice,
} from '@cofre/shared/format/envelope/roster';
import { encodeSignedObject, openSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { sha256 } from '@cofre/shared/hash';
import type { TenantId } from '@cofre/shared/ids';
import type { ServerClient } from '../client/server-client.ts';

/** Computers that enrol at the same moment get out of each other's way after some tries. */
const TRIES_MAX = 5;

/**
 * Puts a device on the roster that the recovery key signs, as the first one or behind the others; a device that is
 * there already stays as it is. Gives the roster that the server then has.
 * @throws CofreError `wrong_key` when the account has another key, `untrusted` when the server's roster is not
 *   what this key signed
 */
export async function joinRoster(
  client: ServerClient,
  key: RecoveryKey,
  tenantId: TenantId,
  device: RosterDevice,
): Promise<Roster> {
  const authorityKey = key.authority.publicKey.toString('hex');
  for (let tries = 1; ; tries++) {
    const current = await confirmedRoster(client, key, tenantId);
    if (current !== null && isOn(current.roster, device)) return current.roster;
    const roster = current === null ? firstRoster(key, tenantId, device) : nextRoster(current, device);
    const object = encodeSignedObject('roster', encodeRoster(roster), key.authority);
    try {
      await client.putTrust({ authorityKey, roster: object.toString('base64') });
      return roster;
    } catch (error) {
      const isRace = error instanceof CofreError && error.code === 'roster_moved';
      if (!isRace || tries === TRIES_MAX) throw error;
    }
  }
}

interface CurrentRoster {
  readonly roster: Roster;
  /** Of the signed object, hexadecimal. */
  readonly hash: string;
}

/** The server's roster, checked; null before the first. */
async function confirmedRoster(
  client: ServerClient,
  key: RecoveryKey,
  tenantId: TenantId,
): Promise<CurrentRoster | null> {
  const trust = await client.trust();
  if (trust.authorityKey === null) return null;
  if (trust.authorityKey !== key.authority.publicKey.toString('hex')) {
    throw new CofreError('wrong_key', { what: 'it belongs to another account' });
  }
  if (trust.roster === null) refuse('there is none');
  const object = Buffer.from(trust.roster, 'base64');
  const roster = decodeRoster(openSignedObject(object, 'roster', key.authority.publicKey));
  if (roster.tenantId !== tenantId) refuse('it is of another account');
  if (!roster.recipients.includes(key.age.recipient)) refuse('this key could not read what is sealed by it');
  return { roster, hash: sha256(object).toString('hex') };
}

function firstRoster(key: RecoveryKey, tenantId: TenantId, device: RosterDevice): Roster {
  return {
    tenantId,
    version: 1,
    previous: null,
    createdNs: nowNs(),
    recipients: [key.age.recipient],
    devices: [device],
    successor: null,
  };
}

function isOn(roster: Roster, device: RosterDevice): boolean {
  const known = roster.devices.find(({ deviceId }) => deviceId === device.deviceId);
  if (known === undefined) return false;
  if (known.signingKey !== device.signingKey) refuse('it names another computer by the id of this one');
  return true;
}

function nextRoster({ roster, hash }: CurrentRoster, device: RosterDevice): Roster {
  return {
    ...roster,
    version: roster.version + 1,
    previous: hash,
    createdNs: nowNs(),
    devices: [...roster.devices, device],
  };
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

function refuse(problem: string): never {
  throw new CofreError('untrusted', { what: 'a list of devices', problem });
}
