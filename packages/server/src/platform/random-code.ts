import { randomBytes } from 'node:crypto';

/** A code of so many characters of an alphabet of 32: five bits of each random byte, so that none is likelier. */
export function randomCode(alphabet: string, characters: number): string {
  if (alphabet.length !== 32) throw new RangeError(`an alphabet of ${alphabet.length} characters`);
  return Array.from(randomBytes(characters), (byte) => alphabet[byte & 31]).join('');
}
