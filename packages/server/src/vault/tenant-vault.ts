import { randomBytes } from 'node:crypto';
import { CofreError } from '@cofre/shared/errors';
import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import {
  CHUNK_ID_BYTES,
  RANDOM_ID_BYTES,
  type ChunkId,
  type DeviceId,
  type DomainId,
  type SessionId,
  type SetId,
  type SnapshotId,
  type TenantId,
} from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { VerifyFinding } from '@cofre/shared/wire/administration';
import type { VaultDamages } from '@cofre/shared/wire/damage';
import type { PackStored, Session } from '@cofre/shared/wire/sessions';
import type { SnapshotItem, SnapshotPage } from '@cofre/shared/wire/snapshots';
import type { ObjectItem, ObjectKind, Trust } from '@cofre/shared/wire/trust';
import type { CollectionOptions, CollectionResult } from './collect/collection-options.ts';
import { Collector } from './collect/collector.ts';
import { Committer } from './commit/committer.ts';
import { countOfIds, sliceIds } from './index/packed-ids.ts';
import { mergeStates } from './index/refset-states.ts';
import type { SnapshotListRow } from './index/snapshots.store.ts';
import type { InSession, OpenedSession } from './index/sessions.store.ts';
import { KnownChunks } from './known-chunks.ts';
import { KeyObjects } from './objects/key-objects.ts';
import { ObjectStore } from './objects/object-store.ts';
import { TrustKeeper } from './objects/trust-keeper.ts';
import { ChunkReader } from './read/chunk-reader.ts';
import { PackReceiver } from './receive/pack-receiver.ts';
import type { Retention } from './retention/retention.ts';
import { VaultRetention } from './retention/vault-retention.ts';
import { listDamages } from './scrub/damage-list.ts';
import type { ScrubResult, ScrubRun } from './scrub/scrub-run.ts';
import { VaultScrubber } from './scrub/vault-scrubber.ts';
import { VaultVerifier } from './verify/vault-verifier.ts';
import type {
  Caller,
  CommitResult,
  IncomingPack,
  OpenSession,
  RefsPart,
  SnapshotQuery,
  Vault,
} from './vault.ts';
import type { VaultContext } from './vault-context.ts';

/** Ids that one step hashes: some tens of milliseconds on a thread that others wait for too. */
const HASH_STEP_IDS_MAX = 2_500;

/** A vault: its parts put together, each call behind the gate. What may run at once stands in docs/concurrency.md. */
export class TenantVault implements Vault {
  readonly tenantId: TenantId;
  readonly objects: ObjectStore;
  readonly retention: Retention;
  private readonly context: VaultContext;
  private readonly trustKeeper: TrustKeeper;
  private readonly keyObjects: KeyObjects;
  private readonly receiver: PackReceiver;
  private readonly committer: Committer;
  private readonly knownChunks: KnownChunks;
  private readonly reader: ChunkReader;
  private readonly collector: Collector;

  constructor(context: VaultContext) {
    this.tenantId = context.tenantId;
    this.context = context;
    this.objects = new ObjectStore(context);
    this.retention = new VaultRetention(context, this.objects);
    this.trustKeeper = new TrustKeeper(context, this.objects);
    this.keyObjects = new KeyObjects(context, this.objects);
    this.receiver = new PackReceiver(context);
    this.committer = new Committer(context, this.objects);
    this.knownChunks = new KnownChunks(context);
    this.reader = new ChunkReader(context);
    this.collector = new Collector(context);
  }

  putTrust(authorityKey: string, roster: Buffer): Promise<void> {
    return this.run(() => this.trustKeeper.putTrust(authorityKey, roster));
  }

  trust(): Promise<Trust> {
    return this.run(() => this.trustKeeper.trust());
  }

  checkReadGrant(caller: Caller, grant: Buffer): Promise<{ expiresMs: number }> {
    return this.runUnrevoked(caller, () => this.trustKeeper.checkReadGrant(caller, grant));
  }

  storeObject(caller: Caller, kind: ObjectKind, object: Buffer): Promise<{ number: number }> {
    return this.runUnrevoked(caller, () => this.keyObjects.store(caller, kind, object));
  }

  readObject(caller: Caller, kind: ObjectKind, id: string): Promise<ObjectItem> {
    return this.runUnrevoked(caller, () => this.keyObjects.read(caller, kind, id));
  }

  openSession(caller: Caller, request: OpenSession): Promise<Session> {
    return this.run(async () => {
      const sessionId = randomBytes(RANDOM_ID_BYTES).toString('hex') as SessionId;
      const inSession = this.inSession(caller, sessionId);
      const opened = await this.context.index.call('openSession', { ...inSession, ...request });
      return describeSession(opened, inSession.nowMs);
    });
  }

  renewSession(caller: Caller, sessionId: SessionId): Promise<{ leaseMs: number }> {
    return this.run(async () => {
      await this.context.index.call('renewSession', this.inSession(caller, sessionId));
      return { leaseMs: LIMITS.sessionLeaseMs };
    });
  }

  closeSession(caller: Caller, sessionId: SessionId): Promise<void> {
    return this.run(() => this.context.index.call('closeSession', this.inSession(caller, sessionId)));
  }

  have(
    caller: Caller,
    sessionId: SessionId,
    ids: Buffer,
    verifiedWithinMs: number | null = null,
  ): Promise<Buffer> {
    return this.run(async () => {
      requireIds(ids, LIMITS.haveIdsMax);
      return this.knownChunks.have(this.inSession(caller, sessionId), ids, verifiedWithinMs);
    });
  }

  receivePack(caller: Caller, sessionId: SessionId, pack: IncomingPack): Promise<PackStored> {
    return this.run(() => this.receiver.receive(caller, sessionId, pack));
  }

  stageRefs(caller: Caller, sessionId: SessionId, refs: RefsPart): Promise<{ ids: number }> {
    return this.run(async () => {
      requireIds(refs.ids, LIMITS.refsPartIdsMax);
      requireAscending(refs.ids);
      const inSession = this.inSession(caller, sessionId);
      await this.context.index.call('checkPart', { ...inSession, part: refs.part, bytes: refs.ids.length });
      const hashState = await this.hashIds(refs.ids);
      await this.context.index.call('stagePart', {
        ...this.inSession(caller, sessionId),
        ...refs,
        hashState,
      });
      return { ids: countOfIds(refs.ids) };
    });
  }

  commit(
    caller: Caller,
    sessionId: SessionId,
    manifest: Buffer,
    refs: 'full' | 'delta',
  ): Promise<CommitResult> {
    return this.run(() => this.committer.commit(caller, sessionId, manifest, refs));
  }

  listSnapshots(caller: Caller, query: SnapshotQuery): Promise<SnapshotPage> {
    return this.runUnrevoked(caller, async () => {
      // Without a grant a device sees its own, whatever it asks for.
      if (!caller.readsTenant && (query.deviceId ?? caller.deviceId) !== caller.deviceId) {
        return { items: [], next: null };
      }
      const page = await this.context.index.call('listSnapshots', {
        after: query.after,
        limit: Math.min(query.limit, LIMITS.pageItemsMax),
        deviceId: caller.readsTenant ? (query.deviceId ?? null) : caller.deviceId,
        setId: query.setId ?? null,
      });
      const items = page.rows.map((row) => ({
        snapshotId: row.snapshotId as SnapshotId,
        number: row.number,
        deviceId: row.deviceId as DeviceId,
        setId: row.setId as SetId,
        received: new Date(row.receivedMs).toISOString(),
        lockedUntil: new Date(row.lockedUntilMs).toISOString(),
        state: stateOf(row),
        contentUntil: row.contentUntilMs === null ? null : new Date(row.contentUntilMs).toISOString(),
        manifest: bufferOf(row.manifest).toString('base64'),
      }));
      return { items, next: page.isLast ? null : (items.at(-1)?.number ?? null) };
    });
  }

  readChunks(caller: Caller, domainId: DomainId, ids: readonly ChunkId[]): AsyncIterable<Buffer> {
    return this.context.gate.iterate(() => this.reader.read(caller, domainId, ids));
  }

  lockedUntilMs(): Promise<number> {
    return this.run(() => this.context.index.call('lastLockMs', undefined));
  }

  statistics(): ReturnType<Vault['statistics']> {
    return this.run(async () => {
      const counts = await this.context.index.call('countVault', undefined);
      return { tenantId: this.tenantId, ...counts };
    });
  }

  runCollection(options: CollectionOptions): Promise<CollectionResult> {
    // Its steps pass the gate one by one.
    return this.collector.collect(options);
  }

  verify(onProgress: (bytes: number) => void): AsyncIterable<VerifyFinding> {
    return this.context.gate.iterate(() => new VaultVerifier(this.context, onProgress).verify());
  }

  runScrub(run: ScrubRun): Promise<ScrubResult> {
    return new VaultScrubber(this.context, run).scrub();
  }

  listDamages(): Promise<VaultDamages> {
    return this.run(() => listDamages(this.context));
  }

  /** The set hash of ids, in slices, off the event loop. */
  private async hashIds(ids: Buffer): Promise<Uint8Array> {
    const total = RefsetHash.empty().state();
    for (const slice of sliceIds(ids, HASH_STEP_IDS_MAX)) {
      mergeStates(total, await this.context.index.hashIds(slice), 1);
    }
    return total;
  }

  private run<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.context.gate.run(call);
  }

  /** For what happens outside a session: within one the session's own check says the same. */
  private runUnrevoked<Result>({ deviceId }: Caller, call: () => Promise<Result>): Promise<Result> {
    return this.run(async () => {
      await this.context.index.call('requireUnrevoked', { deviceId });
      return call();
    });
  }

  private inSession(caller: Caller, sessionId: SessionId): InSession {
    return { sessionId, deviceId: caller.deviceId, nowMs: this.context.nowMs() };
  }
}

function stateOf({ isStub, contentUntilMs }: SnapshotListRow): SnapshotItem['state'] {
  if (isStub === 1) return 'gone';
  return contentUntilMs === null ? 'kept' : 'deleted';
}

function describeSession(opened: OpenedSession, nowMs: number): Session {
  const { head } = opened;
  return {
    sessionId: opened.sessionId,
    generation: opened.generation,
    leaseMs: LIMITS.sessionLeaseMs,
    head:
      head === null
        ? null
        : {
            snapshotId: head.snapshotId as SnapshotId,
            sequence: head.sequence,
            refsetCount: head.refsetCount,
            damaged: bufferOf(head.damaged).toString('base64'),
            refsetDigest: RefsetHash.fromState(head.refsetState, head.refsetCount).digest().toString('hex'),
          },
    domainChunkCount: opened.domainChunkCount,
    serviceTime: new Date(nowMs).toISOString(),
  };
}

function requireIds(ids: Buffer, countMax: number): void {
  if (ids.length % CHUNK_ID_BYTES !== 0) {
    throw new CofreError('invalid_request', { problem: `ids of ${CHUNK_ID_BYTES} bytes are expected` });
  }
  if (countOfIds(ids) > countMax) {
    throw new CofreError('too_large', { what: 'The list of ids', limit: `${countMax}` });
  }
}

function requireAscending(ids: Buffer): void {
  for (let end = 2 * CHUNK_ID_BYTES; end <= ids.length; end += CHUNK_ID_BYTES) {
    const middle = end - CHUNK_ID_BYTES;
    if (ids.compare(ids, middle, end, middle - CHUNK_ID_BYTES, middle) >= 0) {
      throw new CofreError('invalid_request', { problem: 'ids have to ascend' });
    }
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
