import { parseKit } from '@cofre/shared/crypto/kit';
import { recoveryKeyFromSecret, type RecoveryKey } from '@cofre/shared/crypto/recovery-key';
import { CofreError } from '@cofre/shared/errors';
import type { AgentContext } from '../state/agent-context.ts';
import { fetchConfirmedRoster, type ConfirmedRoster } from './confirmed-roster.ts';
import { ReadGrantKeeper } from './read-grant-keeper.ts';

/** The text of a recovery kit, and where it came from. */
export interface Kit {
  readonly text: string;
  /** Named in errors: a file, safe to print. */
  readonly source: string;
}

/** What the kit gives: the key that opens, and who is trusted. */
export interface OpenedTrust {
  readonly recoveryKey: RecoveryKey;
  readonly roster: ConfirmedRoster;
  readonly grant: ReadGrantKeeper;
}

/**
 * Takes the recovery key from a kit, compares its authority with the one pinned at enrolment and with the
 * server's, checks the roster, and lets this device read the whole tenant.
 * @throws CofreError `kit_unreadable`; `wrong_key` for the kit of another account; `untrusted` when the server
 *   shows another authority or roster than it should
 */
export async function openTrust(context: AgentContext, kit: Kit): Promise<OpenedTrust> {
  const { identity, client } = context;
  const recoveryKey = await recoveryKeyFromSecret(parseKit(kit.text, kit.source));
  if (recoveryKey.authority.publicKey.toString('hex') !== identity.authorityKey) {
    throw new CofreError('wrong_key', { what: identity.tenantName });
  }
  const roster = await fetchConfirmedRoster(context);
  const grant = new ReadGrantKeeper(client, identity, recoveryKey.authority);
  await grant.ensure();
  return { recoveryKey, roster, grant };
}
