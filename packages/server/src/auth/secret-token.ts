import { randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

/** A secret of 256 random bits in base64url: sessions, links, API tokens, tickets. */
export function newSecretToken(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}
