import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { base64, domainId, hex32, keyPeriodId, vaultNumber } from './fields.ts';

/**
 * `GET /v1/trust`: the authority and its newest roster, or nulls before the first device made them.
 * `PUT /v1/trust`: the first call sets the authority for good; later ones bring the next version of the
 * roster, signed by it. Repeating a call changes nothing.
 */
export const trust = z.object({
  /** Ed25519 public key of the authority. */
  authorityKey: hex32.nullable(),
  /** Signed object of kind `roster`. */
  roster: base64(LIMITS.objectBytesMax).nullable(),
});

export const putTrustRequest = z.object({
  authorityKey: hex32,
  roster: base64(LIMITS.objectBytesMax),
});

/**
 * `POST /v1/objects/keyring`, `POST /v1/objects/domain`: the body is the signed object itself. They are
 * immutable; sending the same one again gives the same number.
 */
export const objectKind = z.enum(['keyring', 'domain']);
export const objectStored = z.object({ number: vaultNumber });

/** `GET /v1/objects/keyring?period=ID`, `GET /v1/objects/domain?domain=ID`: one object, by what it is of. */
export const objectQuery = z.object({ period: keyPeriodId.optional(), domain: domainId.optional() });
export const objectItem = z.object({ number: vaultNumber, object: base64(LIMITS.objectBytesMax) });

/** `POST /v1/read-grants`: the body is a signed object of kind `readGrant`. Until it expires, the device reads the whole tenant. */
export const readGrantResponse = z.object({ expires: z.iso.datetime() });

export type Trust = z.output<typeof trust>;
export type PutTrustRequest = z.input<typeof putTrustRequest>;
export type ObjectKind = z.output<typeof objectKind>;
export type ObjectItem = z.output<typeof objectItem>;
