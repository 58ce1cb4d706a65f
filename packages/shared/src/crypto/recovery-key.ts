import { randomBytes } from 'node:crypto';
import { deriveKey, sha256 } from '../hash.ts';
import { signingKeyFromSeed, type SigningKey } from '../signature.ts';
import { ageKeyPairFromSeed, type AgeKeyPair } from './age-identity.ts';

/** Length of the secret that is the recovery key. */
export const RECOVERY_SECRET_BYTES = 32;

/**
 * The recovery key: 32 bytes made on the customer's side. It opens data (through the age identity) and says
 * who belongs to the tenant (through the authority key). It never leaves the customer.
 */
export interface RecoveryKey {
  readonly secret: Buffer;
  readonly age: AgeKeyPair;
  readonly authority: SigningKey;
}

/** 32 random bytes. */
export function newRecoverySecret(): Buffer {
  return randomBytes(RECOVERY_SECRET_BYTES);
}

/** Everything that a recovery key is, from its 32 bytes alone. */
export async function recoveryKeyFromSecret(secret: Buffer): Promise<RecoveryKey> {
  return {
    secret,
    age: await ageKeyPairFromSeed(deriveKey(secret, 'cofre 1 age identity')),
    authority: signingKeyFromSeed(deriveKey(secret, 'cofre 1 authority')),
  };
}

/**
 * What people compare to see that they deal with the right authority: the first 16 bytes of SHA-256 of its
 * public key, in four groups of eight hexadecimal digits.
 */
export function authorityFingerprint(publicKey: Uint8Array): string {
  return (sha256(publicKey).toString('hex', 0, 16).match(/.{8}/g) ?? []).join('-');
}
