import { randomBytes } from 'node:crypto';
import { sha256 } from '@cofre/shared/hash';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const CODE_CHARACTERS = 32;

/** A code of 160 random bits in lower-case base32: five bits of each random byte, so that none is likelier. */
export function newOneTimeCode(): string {
  return Array.from(randomBytes(CODE_CHARACTERS), (byte) => ALPHABET[byte & 31]).join('');
}

/** How a code is stored. It is random and long, so a plain hash keeps it. */
export function hashOfCode(code: string): string {
  return sha256(Buffer.from(code, 'utf8')).toString('hex');
}
