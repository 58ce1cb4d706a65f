import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveKey, hmacSha256, sha256, sha256Of } from './hash.ts';

describe('the hashes are those that everybody has', () => {
  it('SHA-256 of "abc" (FIPS 180-4)', () => {
    expect(sha256(Buffer.from('abc')).toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('HMAC-SHA-256, test case 2 of RFC 4231', () => {
    const tag = hmacSha256(Buffer.from('Jefe'), Buffer.from('what do ya want '), Buffer.from('for nothing?'));
    expect(tag.toString('hex')).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  });

  it('HKDF-SHA-256 without salt, test case 3 of RFC 5869', () => {
    expect(deriveKey(Buffer.alloc(22, 0x0b), '', 42).toString('hex')).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });
});

it('what is hashed in parts is hashed as a whole', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (parts) => {
      expect(sha256Of(...parts)).toEqual(sha256(Buffer.concat(parts)));
      const key = Buffer.from('key');
      expect(hmacSha256(key, ...parts)).toEqual(hmacSha256(key, Buffer.concat(parts)));
    }),
  );
});

it('each label has a key of its own, of the length that is asked for', () => {
  const secret = Buffer.alloc(32, 1);
  expect(deriveKey(secret, 'a')).toHaveLength(32);
  expect(deriveKey(secret, 'a')).not.toEqual(deriveKey(secret, 'b'));
  expect(deriveKey(secret, 'a', 8)).toEqual(deriveKey(secret, 'a').subarray(0, 8));
});
