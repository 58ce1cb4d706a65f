import { createHash, createHmac, hash, hkdfSync } from 'node:crypto';

export const SHA256_BYTES = 32;

/** SHA-256, 32 bytes. */
export function sha256(data: Uint8Array): Buffer {
  return hash('sha256', data, 'buffer');
}

/** SHA-256 of the concatenation of `parts`, without joining them. */
export function sha256Of(...parts: Uint8Array[]): Buffer {
  const state = createHash('sha256');
  for (const part of parts) state.update(part);
  return state.digest();
}

/** HMAC-SHA-256 over the concatenation of `parts`. */
export function hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Buffer {
  const state = createHmac('sha256', key);
  for (const part of parts) state.update(part);
  return state.digest();
}

/**
 * HKDF-SHA-256 (RFC 5869) without salt: `secret` has to be uniformly random already. Labels name the
 * purpose and are the only thing that tells two keys of one secret apart: never use one twice.
 */
export function deriveKey(secret: Uint8Array, label: string, lengthBytes = 32): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), label, lengthBytes));
}
