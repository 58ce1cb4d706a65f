import { randomCode } from '../platform/random-code.ts';

/** Easy to read aloud: neither 0 and O nor 1 and I. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const GROUPS = 3;
const GROUP_CHARACTERS = 4;
const CHARACTERS = GROUPS * GROUP_CHARACTERS;

/**
 * Such as `K7QF-2MXB-9RTA`: 60 random bits. It names a tenant on an invoice and on the phone, and opens nothing.
 */
export function newManagementCode(): string {
  return grouped(randomCode(ALPHABET, CHARACTERS));
}

/** A code as we write it, from one as people type it: small letters, spaces, no hyphens. */
export function spelledCode(text: string): string {
  return grouped(text.toUpperCase().replaceAll(/[\s-]/g, ''));
}

function grouped(characters: string): string {
  return characters.match(new RegExp(`.{1,${GROUP_CHARACTERS}}`, 'gsu'))?.join('-') ?? '';
}
