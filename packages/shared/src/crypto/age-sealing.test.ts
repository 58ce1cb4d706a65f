import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { flippedBits, laterRefusalOf } from '../../../../test/builders/hostile-bytes.ts';
import { ageKeyPairFromSeed } from './age-identity.ts';
import { openWithAge, sealWithAge } from './age-sealing.ts';

const ours = await ageKeyPairFromSeed(Buffer.alloc(32, 1));
const second = await ageKeyPairFromSeed(Buffer.alloc(32, 2));
const stranger = await ageKeyPairFromSeed(Buffer.alloc(32, 3));
const classic = await identityToRecipient(await generateX25519Identity());
const SECRET = Buffer.from('a secret of a key period');

describe('what is sealed with age', () => {
  it('opens for each recipient', async () => {
    const sealed = await sealWithAge(SECRET, [ours.recipient, second.recipient]);
    expect(await openWithAge(sealed, ours.identity, 'a test')).toEqual(SECRET);
    expect(await openWithAge(sealed, second.identity, 'a test')).toEqual(SECRET);
  });

  it('does not open for anybody else', async () => {
    const sealed = await sealWithAge(SECRET, [ours.recipient]);
    expect(await laterRefusalOf(() => openWithAge(sealed, stranger.identity, 'a test'))).toBe('wrong_key');
  });

  it('is refused when a bit is flipped anywhere in it', async () => {
    const sealed = await sealWithAge(SECRET, [ours.recipient]);
    // Opening takes milliseconds: a bit in every 16 bytes, and every bit of what was sealed and its tag.
    const bits = [...flippedBits(sealed)].filter(
      ({ bit }) => bit % 128 === 3 || bit > (sealed.length - 60) * 8,
    );
    const codes = new Set<string | null>();
    for (const { bytes } of bits) {
      codes.add(await laterRefusalOf(() => openWithAge(bytes, ours.identity, 'a test')));
    }
    expect(codes).toEqual(new Set(['damaged', 'wrong_key']));
  }, 120_000);

  it('is refused when it is cut, or something else', async () => {
    const sealed = await sealWithAge(SECRET, [ours.recipient]);
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('no age file'),
      sealed.subarray(0, -1),
      sealed.subarray(0, 900),
    ]) {
      expect(await laterRefusalOf(() => openWithAge(bytes, ours.identity, 'a test'))).toBe('damaged');
    }
  });
});

describe('sealing is refused', () => {
  it.each([
    ['without recipients', []],
    ['to a classic recipient', [classic]],
    ['to a mix of both', [ours.recipient, classic]],
    ['to a mix of both, the classic one first', [classic, ours.recipient]],
    ['to a passphrase or an identity', [ours.identity]],
  ])('%s', async (_, recipients) => {
    expect(await laterRefusalOf(() => sealWithAge(SECRET, recipients))).toBe('recipient_mix');
  });
});
