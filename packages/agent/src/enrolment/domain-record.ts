import { openWithAge, sealWithAge } from '@cofre/shared/crypto/age-sealing';
import {
  decodeDomainSecrets,
  encodeDomainSecrets,
  type DomainSecrets,
} from '@cofre/shared/crypto/domain-keys';
import type { RecoveryKey } from '@cofre/shared/crypto/recovery-key';
import { CofreError } from '@cofre/shared/errors';
import { decodeDomainObject, encodeDomainObject } from '@cofre/shared/format/envelope/sealed-keys';
import { encodeSignedObject, openSignedObject } from '@cofre/shared/format/envelope/signed-object';
import type { DeviceId } from '@cofre/shared/ids';
import type { SigningKey } from '@cofre/shared/signature';
import type { ServerClient } from '../client/server-client.ts';

export interface DomainOwner {
  readonly deviceId: DeviceId;
  readonly signingKey: SigningKey;
  readonly domain: DomainSecrets;
}

/** Stores the device's domain, sealed to the recipients, unless the server has it. */
export async function storeDomain(
  client: ServerClient,
  { deviceId, signingKey, domain }: DomainOwner,
  recipients: readonly string[],
): Promise<void> {
  if (await isStored(client, domain)) return;
  const sealed = await sealWithAge(encodeDomainSecrets(domain), recipients);
  const createdNs = BigInt(Date.now()) * 1_000_000n;
  const payload = encodeDomainObject({ domainId: domain.domainId, deviceId, createdNs, sealed });
  await client.storeObject('domain', encodeSignedObject('domain', payload, signingKey));
}

/**
 * Reads the device's domain back and opens it with the recovery key: proof that the key opens what the server
 * keeps.
 * @throws CofreError `wrong_key`, `untrusted`
 */
export async function proveDomain(
  client: ServerClient,
  { signingKey, domain }: DomainOwner,
  key: RecoveryKey,
): Promise<void> {
  const { object } = await client.readObject('domain', domain.domainId);
  const payload = openSignedObject(Buffer.from(object, 'base64'), 'domain', signingKey.publicKey);
  const opened = await openWithAge(decodeDomainObject(payload).sealed, key.age.identity, 'a domain');
  const isSame = encodeDomainSecrets(decodeDomainSecrets(opened)).equals(encodeDomainSecrets(domain));
  if (!isSame) throw new CofreError('untrusted', { what: 'a domain', problem: 'it is not what was stored' });
}

async function isStored(client: ServerClient, domain: DomainSecrets): Promise<boolean> {
  try {
    await client.readObject('domain', domain.domainId);
    return true;
  } catch (error) {
    if (error instanceof CofreError && error.code === 'not_found') return false;
    throw error;
  }
}
