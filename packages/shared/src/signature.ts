import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { CofreError } from './errors.ts';

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** DER in front of a raw Ed25519 key (RFC 8410), which is how `node:crypto` takes one. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** An Ed25519 key pair (RFC 8032) from its 32-byte seed. */
export interface SigningKey {
  /** Raw public key, 32 bytes. */
  readonly publicKey: Buffer;
  sign(message: Uint8Array): Buffer;
}

/** @param seed 32 uniformly random or derived bytes */
export function signingKeyFromSeed(seed: Uint8Array): SigningKey {
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    publicKey: spki.subarray(SPKI_PREFIX.length),
    sign: (message) => sign(null, message, privateKey),
  };
}

/** Whether `signature` over `message` was made by the holder of `publicKey` (32 raw bytes). */
export function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, message, importPublicKey(publicKey), signature);
}

function importPublicKey(publicKey: Uint8Array): KeyObject {
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new CofreError('damaged', { what: 'A public key', problem: `${publicKey.length} bytes long` });
  }
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
}
