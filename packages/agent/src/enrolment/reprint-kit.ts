import { formatKit, parseKit } from '@cofre/shared/crypto/kit';
import { authorityFingerprint, recoveryKeyFromSecret } from '@cofre/shared/crypto/recovery-key';
import { CofreError, type Language } from '@cofre/shared/errors';
import type { StoredIdentity } from '../state/identity-file.ts';
import type { Kit } from '../vault-reader/open-trust.ts';

/**
 * The text of a kit made anew, such as one that somebody typed off the paper.
 * @throws CofreError `kit_unreadable`; `wrong_key` for the kit of another account
 */
export async function reprintKit(kit: Kit, identity: StoredIdentity, language: Language): Promise<string> {
  const key = await recoveryKeyFromSecret(parseKit(kit.text, kit.source));
  const { publicKey } = key.authority;
  if (publicKey.toString('hex') !== identity.authorityKey) {
    throw new CofreError('wrong_key', { what: identity.tenantName });
  }
  const details = {
    tenantName: identity.tenantName,
    serverAddress: identity.address,
    fingerprint: authorityFingerprint(publicKey),
    created: identity.enrolled.slice(0, 10),
  };
  return formatKit(key.secret, details, language);
}
