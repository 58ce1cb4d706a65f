import { CofreError } from '@cofre/shared/errors';
import { decodeRoster, type Roster } from '@cofre/shared/format/envelope/roster';
import { openSignedObject } from '@cofre/shared/format/envelope/signed-object';
import type { ServerClient } from '../client/server-client.ts';
import type { DeviceIdentity } from '../state/agent-context.ts';

/**
 * The newest roster, checked against the authority that was pinned at enrolment. Everything that this device
 * seals is sealed to its recipients: a server that could exchange them could read.
 * @throws CofreError `untrusted`
 */
export async function loadRoster(client: ServerClient, identity: DeviceIdentity): Promise<Roster> {
  const trust = await client.trust();
  if (trust.authorityKey !== identity.authorityKey || trust.roster === null) {
    throw new CofreError('untrusted', {
      what: 'an authority',
      problem: 'it is not the one of the enrolment',
    });
  }
  const authorityKey = Buffer.from(identity.authorityKey, 'hex');
  const roster = decodeRoster(openSignedObject(Buffer.from(trust.roster, 'base64'), 'roster', authorityKey));
  if (roster.tenantId !== identity.tenantId) {
    throw new CofreError('untrusted', { what: 'a roster', problem: 'it is of another account' });
  }
  return roster;
}
