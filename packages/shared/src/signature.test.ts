import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flippedBits, refusalOf } from '../../../test/builders/hostile-bytes.ts';
import { isSignedBy, signingKeyFromSeed } from './signature.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('Ed25519 is that of RFC 8032', () => {
  it.each([
    {
      name: 'test 1',
      seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      message: '',
      signature:
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    },
    {
      name: 'test 2',
      seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      message: '72',
      signature:
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    },
  ])('$name', ({ seed, publicKey, message, signature }) => {
    const key = signingKeyFromSeed(hex(seed));
    expect(key.publicKey.toString('hex')).toBe(publicKey);
    expect(key.sign(hex(message)).toString('hex')).toBe(signature);
    expect(isSignedBy(hex(publicKey), hex(message), hex(signature))).toBe(true);
  });
});

describe('a signature', () => {
  const key = signingKeyFromSeed(Buffer.alloc(32, 3));
  const message = Buffer.from('a message');
  const signature = key.sign(message);

  it('is not that of any other key, message or signature, however near', () => {
    const forged = [
      ...[...flippedBits(message)].map(({ bytes }) => isSignedBy(key.publicKey, bytes, signature)),
      ...[...flippedBits(signature)].map(({ bytes }) => isSignedBy(key.publicKey, message, bytes)),
      ...[...flippedBits(key.publicKey)].map(({ bytes }) => isSignedBy(bytes, message, signature)),
    ];
    expect(forged).not.toContain(true);
  });

  it('of another length is none', () => {
    for (const length of [0, 63]) {
      expect(isSignedBy(key.publicKey, message, signature.subarray(0, length))).toBe(false);
    }
    expect(isSignedBy(key.publicKey, message, Buffer.concat([signature, Buffer.alloc(1)]))).toBe(false);
  });

  it('is refused for what cannot be a public key, and false for what is none', () => {
    for (const length of [0, 31, 33]) {
      expect(refusalOf(() => isSignedBy(Buffer.alloc(length), message, signature))).toBe('damaged');
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (publicKey) => {
        expect(isSignedBy(publicKey, message, signature)).toBe(false);
      }),
    );
  });
});
