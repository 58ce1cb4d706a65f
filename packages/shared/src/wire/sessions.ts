import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { base64, domainId, hex32, instant, setId, snapshotId, vaultNumber } from './fields.ts';

/**
 * A backup run as the server sees it. `POST /v1/sessions` opens one: it gives a lease and a generation, and
 * holds the set's newest snapshot, so that nothing that this one needs can be collected meanwhile.
 */
export const openSessionRequest = z.object({
  /** Chosen by the agent: the same id again gives the same session. */
  operationId: z.string().regex(/^[0-9a-f]{32}$/),
  domainId,
  setId,
});

export const sessionHead = z.object({
  snapshotId,
  sequence: z.number().int().positive(),
  refsetCount: z.number().int().nonnegative(),
  refsetDigest: hex32,
  /**
   * Ids of 32 bytes of pieces that it needs and that were found damaged: they have to be sent again, or taken out of
   * the next snapshot. More than are named here may follow in the answer of a commit.
   */
  damaged: base64(LIMITS.missingIdsReportedMax * 32),
});

export const session = z.object({
  sessionId: z.string().regex(/^[0-9a-f]{32}$/),
  generation: z.number().int().nonnegative(),
  leaseMs: z.number().int().positive(),
  /** The newest snapshot of this device and set, complete or not; null before the first. */
  head: sessionHead.nullable(),
  /** Live chunks of the domain: with none, an agent need not ask what is there. */
  domainChunkCount: z.number().int().nonnegative(),
  serviceTime: instant,
});

/** `POST /v1/sessions/:id/renew` */
export const renewResponse = z.object({ leaseMs: z.number().int().positive() });

/**
 * `POST /v1/sessions/:id/have[?verifiedWithinMs=]`: body = up to `haveIdsMax` chunk ids of 32 bytes. The answer is one
 * byte an id, `application/octet-stream`: 0 = send it, 1 = live, it may be referred to in this session, 2 = live as
 * well, but not read and compared on the server's disk within the time asked for: its pack goes to the front of the
 * scrub's queue. Without the parameter there is no 2.
 */
export const haveQuery = z.object({
  verifiedWithinMs: z.coerce.number().int().nonnegative().max(LIMITS.verifiedWithinMaxMs).optional(),
});

/**
 * `PUT /v1/sessions/:id/packs/:operationId`: body = a whole pack, with Content-Length. An answer of 200 means
 * that it is on disk, synced. The same operation id again gives the same answer and stores nothing.
 */
export const packStored = z.object({
  packNumber: vaultNumber,
  blobs: z.number().int().nonnegative(),
  /** Blobs that were there already; they count as live all the same. */
  duplicates: z.number().int().nonnegative(),
  /** Pieces that were damaged on the server, and are whole again by this pack; they count as duplicates too. */
  healed: z.number().int().nonnegative(),
});

/**
 * `PUT /v1/sessions/:id/refs/:part?mode=add|remove`: a part of the change from the head's refset to the new
 * one: up to `refsPartIdsMax` ids of 32 bytes, ascending within the part. Parts count from 0 and may be sent
 * again. With `full` in the commit, the added ids are the whole refset.
 */
export const refsQuery = z.object({ mode: z.enum(['add', 'remove']) });
export const refsStored = z.object({ ids: z.number().int().nonnegative() });

/**
 * `POST /v1/sessions/:id/commit`: everything that the manifest needs is checked in one transaction; 409
 * `missing_chunks` names what is not live, `head_moved` and `refset_mismatch` ask for another run.
 */
export const commitRequest = z.object({
  /** Signed object of kind `manifest`. */
  manifest: z.base64().max(Math.ceil(LIMITS.manifestBytesMax / 3) * 4),
  /** What the uploaded refs are relative to. */
  refs: z.enum(['full', 'delta']),
});

export const commitResponse = z.object({
  snapshotId,
  number: vaultNumber,
  received: instant,
  lockedUntil: instant,
});

export type OpenSessionRequest = z.input<typeof openSessionRequest>;
export type Session = z.output<typeof session>;
export type SessionHead = z.output<typeof sessionHead>;
export type PackStored = z.output<typeof packStored>;
export type CommitRequest = z.input<typeof commitRequest>;
export type CommitResponse = z.output<typeof commitResponse>;
