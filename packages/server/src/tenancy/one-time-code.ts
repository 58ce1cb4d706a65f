import { randomCode } from '../platform/random-code.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const CHARACTERS = 32;

/** A code of 160 random bits in lower-case base32. */
export function newOneTimeCode(): string {
  return randomCode(ALPHABET, CHARACTERS);
}
