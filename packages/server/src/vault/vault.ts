import type { Readable } from 'node:stream';
import type { ChunkId, DeviceId, DomainId, SessionId, SetId, SnapshotId, TenantId } from '@cofre/shared/ids';
import type { CommitResponse, PackStored, Session } from '@cofre/shared/wire/sessions';
import type { SnapshotPage } from '@cofre/shared/wire/snapshots';
import type { ObjectItem, ObjectKind, Trust } from '@cofre/shared/wire/trust';
import type { VaultStatistics, VerifyFinding } from '@cofre/shared/wire/administration';
import type { VaultDamages } from '@cofre/shared/wire/damage';
import type { CollectionOptions, CollectionResult } from './collect/collection-options.ts';
import type { Periods } from './retention/periods.ts';
import type { Retention } from './retention/retention.ts';

export type { CollectionOptions, CollectionResult } from './collect/collection-options.ts';
import type { ScrubResult, ScrubRun } from './scrub/scrub-run.ts';

/** Who asks, as the credential says: nothing in here comes from a parameter. */
export interface Caller {
  readonly deviceId: DeviceId;
  /** Ed25519 public key of the device as it was enrolled: 32 bytes, hexadecimal. It signs what the device stores. */
  readonly signingKey: string;
  /** A read grant is in force: the whole tenant may be read, not only what this device brought. */
  readonly readsTenant: boolean;
}

/**
 * The storage of one tenant. Every method is asynchronous and safe to repeat; none of them can read what it
 * keeps. What a caller may not see answers exactly like what is not there (`not_found`).
 */
export interface Vault {
  readonly tenantId: TenantId;

  /** Sets the authority for good at the first call, then takes only its next roster. */
  putTrust(authorityKey: string, roster: Buffer): Promise<void>;
  trust(): Promise<Trust>;
  /** Checks that the authority signed the grant for this device; gives its end (ms of service time). */
  checkReadGrant(caller: Caller, grant: Buffer): Promise<{ expiresMs: number }>;

  storeObject(caller: Caller, kind: ObjectKind, object: Buffer): Promise<{ number: number }>;
  /** @param id key period (keyring) or domain (domain record) */
  readObject(caller: Caller, kind: ObjectKind, id: string): Promise<ObjectItem>;

  openSession(caller: Caller, request: OpenSession): Promise<Session>;
  renewSession(caller: Caller, sessionId: SessionId): Promise<{ leaseMs: number }>;
  closeSession(caller: Caller, sessionId: SessionId): Promise<void>;
  /**
   * One byte an id: 1 live, 0 not. With `verifiedWithinMs` (null for none), 2 is live as well, but not read and compared
   * within that time; it will be soon.
   */
  have(caller: Caller, sessionId: SessionId, ids: Buffer, verifiedWithinMs?: number | null): Promise<Buffer>;
  /** Resolves when the pack is durable. */
  receivePack(caller: Caller, sessionId: SessionId, pack: IncomingPack): Promise<PackStored>;
  stageRefs(caller: Caller, sessionId: SessionId, refs: RefsPart): Promise<{ ids: number }>;
  commit(
    caller: Caller,
    sessionId: SessionId,
    manifest: Buffer,
    refs: 'full' | 'delta',
  ): Promise<CommitResult>;

  listSnapshots(caller: Caller, query: SnapshotQuery): Promise<SnapshotPage>;
  /**
   * Frames as `wire/chunk-frames.ts` has them, in the order of `ids`, the end frame included. What is yielded are
   * pieces of that stream, not whole frames; nothing is read ahead of the consumer but one piece. A
   * piece is valid until the next one is asked for.
   */
  readChunks(caller: Caller, domainId: DomainId, ids: readonly ChunkId[]): AsyncIterable<Buffer>;

  readonly retention: Retention;

  /** Until when something of it is locked (ms of service time); 0 when nothing was ever. */
  lockedUntilMs(): Promise<number>;

  statistics(): Promise<Omit<VaultStatistics, 'name' | 'quotaBytes' | 'devices' | 'sets'>>;
  /**
   * Lets go of what nothing needs any more, and gives its space back. In bounded steps beside everything else; one that
   * is stopped, or whose process ends, is gone on with by the next.
   */
  runCollection(options: CollectionOptions): Promise<CollectionResult>;
  /** Reads everything, names what is wrong; `onProgress` gets bytes read. */
  verify(onProgress: (bytes: number) => void): AsyncIterable<VerifyFinding>;
  /**
   * Reads what was read longest ago and compares it; damaged chunks count as missing from then on, so that whoever still
   * has them sends them again, and damaged objects are mended. Without `everything` it reads a share: it can be called as
   * often as one likes, and reads all that is kept in `LIMITS.scrubCycleMs`. Every pack is a turn of its own beside
   * other maintenance. It ends by `signal` or after `budgetMs`, and goes on from there the next time.
   */
  runScrub(run: ScrubRun): Promise<ScrubResult>;
  /** What was found damaged, open ones first; `LIMITS.damageItemsMax` at most. */
  listDamages(): Promise<VaultDamages>;
}

export interface OpenSession {
  readonly operationId: string;
  readonly domainId: DomainId;
  readonly setId: SetId;
}

export interface IncomingPack {
  readonly operationId: string;
  readonly lengthBytes: number;
  /**
   * Node's own incoming stream. When the pack is refused it is set flowing and dropped, never destroyed, so that
   * the answer still reaches the client.
   */
  readonly body: Readable;
  /** Gets pieces of the body that are written and not looked at any more. */
  readonly giveBack?: (pieces: readonly Buffer[]) => void;
}

export interface RefsPart {
  readonly part: number;
  readonly mode: 'add' | 'remove';
  /** Ids of 32 bytes, ascending. */
  readonly ids: Buffer;
}

/** A refused commit says what is missing instead of throwing, so that the list can travel. */
export type CommitResult =
  | ({ readonly status: 'committed' } & CommitResponse)
  | { readonly status: 'missing'; readonly total: number; readonly missing: readonly ChunkId[] };

export interface SnapshotQuery {
  readonly after: number;
  readonly limit: number;
  readonly setId: SetId | undefined;
  readonly deviceId: DeviceId | undefined;
}

export type { SnapshotId };

/** Opens vaults by tenant and keeps what they share: database threads, service time, the store's lock. */
export interface Vaults {
  /** @throws CofreError `not_found` */
  open(tenantId: TenantId): Promise<Vault>;
  /**
   * Makes the folder and the database of a new tenant; repeating it changes nothing. The name goes into the store
   * (never into anything that decides), so that the directory can be rebuilt from it. Until {@link setQuota} the
   * quota is 0.
   */
  create(tenantId: TenantId, name?: string): Promise<void>;
  setQuota(tenantId: TenantId, quotaBytes: number): Promise<void>;
  /** Makes the store say this of the tenant, in one step; what it says already is not written again. */
  describeTenant(
    tenantId: TenantId,
    said: { readonly name: string; readonly quotaBytes: number; readonly deletionDueMs: number | null },
  ): Promise<void>;
  /**
   * How long snapshots are locked and deletions can be undone; what is not given stays. The lock time also counts for
   * snapshots that are there already.
   * @returns what is in force then
   * @throws CofreError `lock_not_shortened`, `invalid_request`
   */
  setPeriods(tenantId: TenantId, periods: Partial<Periods>): Promise<Periods>;
  /** Service time, in ms since 1970: what receipts, leases, grants and locks run on. */
  serviceTimeMs(): number;
  /** Finishes writes and closes everything; later calls are refused. */
  close(): Promise<void>;
}
