import { randomBytes } from 'node:crypto';

/** 32 bytes, lower-case hexadecimal: the keyed hash that names a piece of content. */
export type ChunkId = string & { readonly chunkId: unique symbol };
/** 16 random bytes, lower-case hexadecimal. */
export type TenantId = string & { readonly tenantId: unique symbol };
export type DeviceId = string & { readonly deviceId: unique symbol };
export type DomainId = string & { readonly domainId: unique symbol };
export type SetId = string & { readonly setId: unique symbol };
export type UserId = string & { readonly userId: unique symbol };
export type ApiTokenId = string & { readonly apiTokenId: unique symbol };
export type KeyPeriodId = string & { readonly keyPeriodId: unique symbol };
/** 32 bytes, lower-case hexadecimal: SHA-256 of a manifest's envelope. */
export type SessionId = string & { readonly sessionId: unique symbol };
export type SnapshotId = string & { readonly snapshotId: unique symbol };

export const CHUNK_ID_BYTES = 32;
export const RANDOM_ID_BYTES = 16;

/** A new random id of 128 bits: tenants, devices, domains, sets and key periods are named like this. */
export function newRandomId<Id extends string>(): Id {
  return randomBytes(RANDOM_ID_BYTES).toString('hex') as Id;
}

/** Whether a text is an id of 128 bits as we write them. */
export function isRandomId(value: string): boolean {
  return /^[0-9a-f]{32}$/.test(value);
}

/** Whether a text is the id of a chunk as we write it. */
export function isChunkId(value: string): value is ChunkId {
  return /^[0-9a-f]{64}$/.test(value);
}
