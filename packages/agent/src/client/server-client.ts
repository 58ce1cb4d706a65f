import type { ChunkId, DomainId, SessionId } from '@cofre/shared/ids';
import type { ChunkFrameStatus } from '@cofre/shared/wire/chunk-frames';
import type { DeviceStatus, EnrolRequest, EnrolResponse } from '@cofre/shared/wire/enrolment';
import type {
  CommitRequest,
  CommitResponse,
  OpenSessionRequest,
  PackStored,
  Session,
} from '@cofre/shared/wire/sessions';
import type { DeviceItem, SnapshotItem } from '@cofre/shared/wire/snapshots';
import type { ObjectItem, ObjectKind, PutTrustRequest, Trust } from '@cofre/shared/wire/trust';

/**
 * The server as the agent sees it. Every call waits for a server that went away, up to `serverAwayMaxMs`,
 * because every call is safe to repeat; then it throws `server_unreachable`. Answers of the server that are
 * errors become a `CofreError` with the server's code.
 */
export interface ServerClient {
  enrol(request: EnrolRequest): Promise<EnrolResponse>;
  status(): Promise<DeviceStatus>;
  trust(): Promise<Trust>;
  putTrust(request: PutTrustRequest): Promise<void>;
  sendReadGrant(grant: Uint8Array): Promise<void>;
  storeObject(kind: ObjectKind, object: Uint8Array): Promise<void>;
  /** @param id key period, or domain */
  readObject(kind: ObjectKind, id: string): Promise<ObjectItem>;

  openSession(request: OpenSessionRequest): Promise<Session>;
  renewSession(sessionId: SessionId): Promise<void>;
  closeSession(sessionId: SessionId): Promise<void>;
  /**
   * One byte an id: 1 live, 0 not, 2 live but not looked at within the time that was asked for.
   * @param ids 32 bytes each, at most `haveIdsMax`
   * @param verifiedWithinMs ask for pieces that the server has read and compared on its disk since then
   */
  have(sessionId: SessionId, ids: Uint8Array, verifiedWithinMs?: number): Promise<Uint8Array>;
  /** Sends a pack given in parts (they stay unchanged until it resolves). Resolved means durable. */
  putPack(sessionId: SessionId, operationId: string, parts: readonly Uint8Array[]): Promise<PackStored>;
  stageRefs(sessionId: SessionId, part: number, mode: 'add' | 'remove', ids: Uint8Array): Promise<void>;
  commit(sessionId: SessionId, request: CommitRequest): Promise<CommitOutcome>;

  snapshots(filter?: { readonly set?: string; readonly device?: string }): AsyncIterable<SnapshotItem>;
  devices(): Promise<readonly DeviceItem[]>;
  /**
   * Blobs in the order in which they were asked for; a blob's buffer is valid until the next one. A
   * connection that breaks is taken up again behind what came already.
   * @param ids at most `readIdsMax`
   */
  readChunks(domainId: DomainId, ids: readonly ChunkId[]): AsyncIterable<ReceivedChunk>;
  close(): Promise<void>;
}

export type CommitOutcome =
  | ({ readonly status: 'committed' } & CommitResponse)
  | { readonly status: 'missing'; readonly missing: readonly ChunkId[] };

export interface ReceivedChunk {
  readonly chunkId: ChunkId;
  readonly status: Exclude<ChunkFrameStatus, 'end'>;
  /** Empty unless found. */
  readonly blob: Buffer;
}

/** Plain data, so that a worker thread can make a client of its own. */
export interface ClientSettings {
  readonly address: string;
  readonly certificatePin: string | null;
  /** `DEVICE.SECRET`; null before enrolment. */
  readonly credential: string | null;
}
