import { randomBytes } from 'node:crypto';
import { sha256 } from '@cofre/shared/hash';

const SECRET_BYTES = 32;

/** A secret of 256 random bits in base64url: sessions, links, API tokens, tickets. */
export function newSecretToken(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/**
 * What is kept of a secret, and looked up by: SHA-256, hexadecimal. It is random and long, so that a plain hash keeps
 * it, and how long a lookup of a hash takes says nothing about the secret.
 */
export function hashOfSecret(secret: string): string {
  return sha256(Buffer.from(secret, 'utf8')).toString('hex');
}
