import { describe, expect, it } from 'vitest';
import { flippedBits, refusalOf } from '../../../../../test/builders/hostile-bytes.ts';
import { sha256 } from '../../hash.ts';
import { LIMITS } from '../../limits.ts';
import { signingKeyFromSeed } from '../../signature.ts';
import {
  decodeSignedObject,
  encodeSignedObject,
  openSignedObject,
  SIGNED_KINDS,
  signerId,
  type SignedKind,
} from './signed-object.ts';

const KEY = signingKeyFromSeed(Buffer.alloc(32, 1));
const OTHER = signingKeyFromSeed(Buffer.alloc(32, 2));
const PAYLOAD = Buffer.from('a payload');
const KINDS = Object.keys(SIGNED_KINDS) as SignedKind[];

/** A manifest with the byte at `offset` set, and signed as such. */
function forged(offset: number, value: number): Buffer {
  const object = encodeSignedObject('manifest', PAYLOAD, KEY);
  const signed = object.subarray(0, object.length - 64);
  signed[offset] = value;
  KEY.sign(Buffer.concat([Buffer.from('cofre signed object 1\0'), signed])).copy(object, signed.length);
  return object;
}

const open = (object: Buffer): Buffer => openSignedObject(object, 'manifest', KEY.publicKey);

describe('a signed object', () => {
  it.each(KINDS)('of kind %s gives its payload to who knows the key', (kind) => {
    const object = encodeSignedObject(kind, PAYLOAD, KEY);
    expect(object).toHaveLength(28 + PAYLOAD.length + 64);
    expect(openSignedObject(object, kind, KEY.publicKey)).toEqual(PAYLOAD);
    expect(decodeSignedObject(object, kind)).toEqual({
      kind,
      signer: sha256(KEY.publicKey).toString('hex', 0, 16),
      payload: PAYLOAD,
    });
  });

  it('is the same each time: its hash is an id', () => {
    expect(encodeSignedObject('manifest', PAYLOAD, KEY)).toEqual(
      encodeSignedObject('manifest', PAYLOAD, KEY),
    );
  });

  it('is refused with any bit flipped', () => {
    const object = encodeSignedObject('manifest', PAYLOAD, KEY);
    const kept = [...flippedBits(object)].filter(({ bytes }) => refusalOf(() => open(bytes)) === null);
    expect(kept.map(({ bit }) => bit)).toEqual([]);
  });

  it('is refused when it is cut anywhere, or goes on', () => {
    const object = encodeSignedObject('manifest', PAYLOAD, KEY);
    for (let length = 0; length < object.length; length++) {
      expect(refusalOf(() => open(object.subarray(0, length)))).toBe('damaged');
    }
    expect(refusalOf(() => open(Buffer.concat([object, Buffer.alloc(1)])))).toBe('damaged');
  });

  it('is not trusted when somebody else signed it, whoever it says', () => {
    const byOther = encodeSignedObject('manifest', PAYLOAD, OTHER);
    expect(refusalOf(() => open(byOther))).toBe('untrusted');
    Buffer.from(signerId(KEY.publicKey), 'hex').copy(byOther, 8);
    expect(refusalOf(() => open(byOther))).toBe('untrusted');
  });

  it('is not trusted when it names another signer than who signed it', () => {
    expect(refusalOf(() => open(forged(8, 0xaa)))).toBe('untrusted');
  });

  it('is not trusted when its signature is over something else than an object of ours', () => {
    const object = encodeSignedObject('manifest', PAYLOAD, KEY);
    const signed = object.subarray(0, object.length - 64);
    expect(refusalOf(() => open(Buffer.concat([signed, KEY.sign(signed)])))).toBe('untrusted');
  });

  it('of one kind does not pass for another, even when it is signed as such', () => {
    const roster = encodeSignedObject('roster', PAYLOAD, KEY);
    expect(refusalOf(() => open(roster))).toBe('damaged');
    roster[4] = SIGNED_KINDS.manifest;
    expect(refusalOf(() => open(roster))).toBe('untrusted');
  });

  it('of a later version is refused as such', () => {
    for (const [offset, value] of [
      [5, 2],
      [6, 1],
      [7, 1],
    ] as const) {
      expect(refusalOf(() => open(forged(offset, value)))).toBe('unknown_format');
    }
  });

  it('is refused when it says that it is longer than any, before anything is allocated', () => {
    expect(refusalOf(() => open(forged(27, 0xff)))).toBe('damaged');
    const largest = encodeSignedObject('manifest', Buffer.alloc(LIMITS.objectBytesMax), KEY);
    expect(open(largest)).toHaveLength(LIMITS.objectBytesMax);
    const larger = encodeSignedObject('manifest', Buffer.alloc(LIMITS.objectBytesMax + 1), KEY);
    expect(refusalOf(() => open(larger))).toBe('damaged');
  });
});
