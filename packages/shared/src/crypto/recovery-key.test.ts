import { describe, expect, it } from 'vitest';
import { isSignedBy } from '../signature.ts';
import { authorityFingerprint, newRecoverySecret, recoveryKeyFromSecret } from './recovery-key.ts';

const SECRET = Buffer.alloc(32, 0x11);

describe('a recovery key', () => {
  it('comes from its secret alone, the same each time', async () => {
    const [first, second] = [await recoveryKeyFromSecret(SECRET), await recoveryKeyFromSecret(SECRET)];
    expect(first.age).toEqual(second.age);
    expect(first.authority.publicKey).toEqual(second.authority.publicKey);
    const message = Buffer.from('a roster');
    expect(isSignedBy(second.authority.publicKey, message, first.authority.sign(message))).toBe(true);
  });

  it('is another one for every other secret', async () => {
    const other = await recoveryKeyFromSecret(Buffer.alloc(32, 0x12));
    const key = await recoveryKeyFromSecret(SECRET);
    expect(other.age.recipient).not.toBe(key.age.recipient);
    expect(other.authority.publicKey).not.toEqual(key.authority.publicKey);
  });

  it('seals in a way that resists quantum computers', async () => {
    const { age } = await recoveryKeyFromSecret(SECRET);
    expect(age.identity).toMatch(/^AGE-SECRET-KEY-PQ-1[A-Z0-9]+$/);
    expect(age.recipient).toMatch(/^age1pq1[a-z0-9]+$/);
  });

  it('is made of 32 random bytes', () => {
    const secrets = Array.from({ length: 20 }, () => newRecoverySecret().toString('hex'));
    expect(new Set(secrets).size).toBe(20);
    expect(secrets.every((secret) => secret.length === 64)).toBe(true);
  });
});

it('the fingerprint of an authority is four groups of eight digits', () => {
  expect(authorityFingerprint(Buffer.alloc(32))).toBe('66687aad-f862bd77-6c8fc18b-8e9f8e20');
});
