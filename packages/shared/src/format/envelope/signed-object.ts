import { ByteReader } from '../../encoding/byte-reader.ts';
import { ByteWriter } from '../../encoding/byte-writer.ts';
import { CofreError } from '../../errors.ts';
import { sha256 } from '../../hash.ts';
import { LIMITS } from '../../limits.ts';
import { isSignedBy, SIGNATURE_BYTES, type SigningKey } from '../../signature.ts';

/**
 * The wrapping of everything that somebody vouches for:
 *
 *     0   magic "CfS1" ‖ kind u8 ‖ version u8 (1) ‖ flags u16 (0)
 *     8   signer: first 16 bytes of SHA-256 of the public key
 *     24  payload length u32
 *     28  payload
 *         Ed25519 signature 64 over "cofre signed object 1\0" and all of the above
 *
 * The kind is signed with it, so that a roster can't be passed off as a manifest.
 */
export interface SignedObject {
  readonly kind: SignedKind;
  /** Hexadecimal, 16 bytes. */
  readonly signer: string;
  readonly payload: Buffer;
}

export const SIGNED_KINDS = { roster: 1, manifest: 2, keyring: 3, domain: 4, readGrant: 5 } as const;
export type SignedKind = keyof typeof SIGNED_KINDS;

const MAGIC = 0x31536643; // "CfS1"
const VERSION = 1;
const HEADER_BYTES = 28;
const SIGNER_BYTES = 16;
const CONTEXT = Buffer.from('cofre signed object 1\0', 'latin1');

/** How a signer is named in an object: 16 bytes of the hash of the public key, hexadecimal. */
export function signerId(publicKey: Uint8Array): string {
  return sha256(publicKey).toString('hex', 0, SIGNER_BYTES);
}

/** Wraps and signs a payload, always in the same way: the hash of a manifest's object is the id of its snapshot. */
export function encodeSignedObject(kind: SignedKind, payload: Uint8Array, key: SigningKey): Buffer {
  const writer = new ByteWriter(HEADER_BYTES + payload.length + SIGNATURE_BYTES);
  writer.u32(MAGIC).u8(SIGNED_KINDS[kind]).u8(VERSION).u16(0);
  writer
    .bytes(Buffer.from(signerId(key.publicKey), 'hex'))
    .u32(payload.length)
    .bytes(payload);
  writer.bytes(key.sign(Buffer.concat([CONTEXT, writer.view()])));
  return writer.take();
}

/**
 * Takes an object apart without believing it.
 * @throws CofreError `damaged`, `unknown_format`, or `damaged` when it is of another kind than expected
 */
export function decodeSignedObject(bytes: Uint8Array, expected: SignedKind): SignedObject {
  const what = `A ${expected} object`;
  const reader = new ByteReader(bytes, what);
  if (reader.u32() !== MAGIC) reader.refuse('it does not begin like one');
  const kindCode = reader.u8();
  const version = reader.u8();
  const flags = reader.u16();
  if (version !== VERSION || flags !== 0) {
    throw new CofreError('unknown_format', { what, problem: `version ${version}, flags ${flags}` });
  }
  if (kindCode !== SIGNED_KINDS[expected]) reader.refuse(`it is of kind ${kindCode}`);
  const signer = reader.bytes(SIGNER_BYTES).toString('hex');
  const length = reader.u32();
  if (length > LIMITS.objectBytesMax) reader.refuse('it is too large');
  const payload = Buffer.from(reader.bytes(length));
  reader.bytes(SIGNATURE_BYTES);
  reader.expectEnd();
  return { kind: expected, signer, payload };
}

/**
 * The payload of an object that `publicKey` (32 bytes) signed.
 * @throws CofreError `untrusted` when somebody else signed it, or nobody did
 */
export function openSignedObject(bytes: Uint8Array, expected: SignedKind, publicKey: Uint8Array): Buffer {
  const object = decodeSignedObject(bytes, expected);
  const signed = bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
  const signature = bytes.subarray(bytes.length - SIGNATURE_BYTES);
  const isGenuine =
    object.signer === signerId(publicKey) &&
    isSignedBy(publicKey, Buffer.concat([CONTEXT, signed]), signature);
  if (!isGenuine) {
    throw new CofreError('untrusted', { what: `a ${expected} object`, problem: 'its signature is wrong' });
  }
  return object.payload;
}
