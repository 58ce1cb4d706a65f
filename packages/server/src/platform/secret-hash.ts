import { sha256 } from '@cofre/shared/hash';

/**
 * What is kept of a secret or one-time code, and looked up by: SHA-256, hexadecimal. For what is random and long only: a
 * plain hash keeps it then, and how long a lookup of a hash takes says nothing about the secret.
 */
export function hashOfSecret(secret: string): string {
  return sha256(Buffer.from(secret, 'utf8')).toString('hex');
}
