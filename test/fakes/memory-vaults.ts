import { buffer } from 'node:stream/consumers';
import type {
  Caller,
  CommitResult,
  IncomingPack,
  OpenSession,
  RefsPart,
  SnapshotQuery,
  Vault,
  Vaults,
} from '@cofre/server/vault/vault';
import { NOTHING_COLLECTED } from '@cofre/server/vault/collect/collection-options';
import { NOTHING_SCRUBBED, type ScrubResult, type ScrubRun } from '@cofre/server/vault/scrub/scrub-run';
import type { Periods } from '@cofre/server/vault/retention/periods';
import type { Retention } from '@cofre/server/vault/retention/retention';
import { CofreError } from '@cofre/shared/errors';
import { sha256 } from '@cofre/shared/hash';
import {
  newRandomId,
  type ChunkId,
  type DomainId,
  type SessionId,
  type SnapshotId,
  type TenantId,
} from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { VerifyFinding } from '@cofre/shared/wire/administration';
import type { VaultDamages } from '@cofre/shared/wire/damage';
import { encodeEndFrame, encodeFrameHeader } from '@cofre/shared/wire/chunk-frames';
import type { SnapshotItem } from '@cofre/shared/wire/snapshots';
import type { ObjectKind } from '@cofre/shared/wire/trust';

/** Nothing is ever deleted here. */
const emptyRetention: Retention = {
  overview: async () => ({ lockMs: 0, softDeleteMs: 0, byDefault: { mode: 'everything' }, sets: [] }),
  choose: async () => undefined,
  preview: async () => ({ items: [], freedBytes: 0 }),
  apply: async () => ({ marked: 0 }),
  dropExpired: async () => ({ dropped: 0, freedBytes: 0 }),
  runRetention: async () => ({ marked: 0, dropped: 0, freedBytes: 0 }),
  deleteSnapshot: (id) => Promise.reject(new CofreError('not_found', { what: `snapshot ${id}` })),
  deleteSet: (_, setId) => Promise.reject(new CofreError('not_found', { what: `set ${setId}` })),
  undelete: (id) => Promise.reject(new CofreError('not_found', { what: `snapshot ${id}` })),
  countSets: async () => [],
};

const INSTANT = '2026-01-02T03:04:05.678Z';

/** A tenant's vault in memory, for tests of what stands in front of it. It checks owners, and hardly anything else. */
export class MemoryVault implements Vault {
  readonly tenantId: TenantId;
  readonly packs = new Map<string, Buffer>();
  readonly chunks = new Map<ChunkId, Buffer>();
  /** How long ago a chunk was read and compared; none that are not named ever were. */
  readonly verifiedAgoMs = new Map<ChunkId, number>();
  readonly snapshots: SnapshotItem[] = [];
  readonly findings: VerifyFinding[] = [];
  /** Ids that a commit is told to miss. */
  missing: ChunkId[] = [];
  lastLockMs = 0;
  /** What is used besides the packs. */
  usedBytes = 0;
  readonly retention = emptyRetention;
  /** Set to see whether a read was stopped. */
  readsStopped = 0;
  #trust: { authorityKey: string | null; roster: string | null } = { authorityKey: null, roster: null };
  readonly #objects = new Map<string, Buffer>();
  readonly #sessions = new Map<SessionId, Caller>();

  constructor(tenantId: TenantId) {
    this.tenantId = tenantId;
  }

  async putTrust(authorityKey: string, roster: Buffer) {
    this.#trust = { authorityKey, roster: roster.toString('base64') };
  }

  async trust() {
    return this.#trust;
  }

  async checkReadGrant(_caller: Caller, grant: Buffer) {
    if (grant.toString() !== 'genuine')
      throw new CofreError('untrusted', { what: 'a grant', problem: 'forged' });
    return { expiresMs: Date.now() + 60_000 };
  }

  async storeObject(_caller: Caller, kind: ObjectKind, object: Buffer) {
    this.#objects.set(`${kind} ${object.toString('hex', 0, 16)}`, object);
    return { number: this.#objects.size };
  }

  async readObject(_caller: Caller, kind: ObjectKind, id: string) {
    const object = this.#objects.get(`${kind} ${id}`);
    if (object === undefined) throw new CofreError('not_found', { what: `${kind} object ${id}` });
    return { number: 1, object: object.toString('base64') };
  }

  async openSession(caller: Caller, _request: OpenSession) {
    const sessionId = newRandomId<SessionId>();
    this.#sessions.set(sessionId, caller);
    return { sessionId, generation: 1, leaseMs: 1000, head: null, domainChunkCount: 0, serviceTime: INSTANT };
  }

  async renewSession(caller: Caller, sessionId: SessionId) {
    this.#expectSession(caller, sessionId);
    return { leaseMs: 1000 };
  }

  async closeSession(caller: Caller, sessionId: SessionId) {
    this.#expectSession(caller, sessionId);
    this.#sessions.delete(sessionId);
  }

  async have(caller: Caller, sessionId: SessionId, ids: Buffer, verifiedWithinMs: number | null = null) {
    this.#expectSession(caller, sessionId);
    const answer = Buffer.alloc(ids.length / 32);
    for (let index = 0; index < answer.length; index += 1) {
      const id = ids.toString('hex', index * 32, index * 32 + 32) as ChunkId;
      const verifiedAgoMs = this.verifiedAgoMs.get(id) ?? Infinity;
      const isOld = verifiedWithinMs !== null && verifiedAgoMs > verifiedWithinMs;
      answer[index] = this.chunks.has(id) ? (isOld ? 2 : 1) : 0;
    }
    return answer;
  }

  /** Takes any bytes for a pack, but refuses what begins with "bad", as early as that. */
  async receivePack(caller: Caller, sessionId: SessionId, pack: IncomingPack) {
    this.#expectSession(caller, sessionId);
    pack.body.once('data', (first: Buffer) => {
      if (!first.toString('latin1').startsWith('bad')) return;
      pack.body.destroy(new CofreError('pack_invalid', { problem: 'it begins with "bad"' }));
    });
    this.packs.set(pack.operationId, await buffer(pack.body));
    return { packNumber: this.packs.size, blobs: 1, duplicates: 0, healed: 0 };
  }

  async stageRefs(caller: Caller, sessionId: SessionId, refs: RefsPart) {
    this.#expectSession(caller, sessionId);
    return { ids: refs.ids.length / 32 };
  }

  async commit(caller: Caller, sessionId: SessionId, manifest: Buffer): Promise<CommitResult> {
    this.#expectSession(caller, sessionId);
    if (this.missing.length > 0)
      return { status: 'missing', total: this.missing.length, missing: this.missing };
    const snapshotId = sha256(manifest).toString('hex') as SnapshotId;
    const item = {
      snapshotId,
      number: this.snapshots.length + 1,
      received: INSTANT,
      lockedUntil: INSTANT,
    };
    const { deviceId } = caller;
    const kept = { state: 'kept' as const, contentUntil: null };
    this.snapshots.push({
      ...item,
      ...kept,
      deviceId,
      setId: newRandomId(),
      manifest: manifest.toString('base64'),
    });
    return { status: 'committed', ...item };
  }

  async listSnapshots(caller: Caller, query: SnapshotQuery) {
    const items = this.snapshots.filter(
      ({ number, deviceId }) => number > query.after && (caller.readsTenant || deviceId === caller.deviceId),
    );
    return { items: items.slice(0, query.limit), next: null };
  }

  async *readChunks(_caller: Caller, _domainId: DomainId, ids: readonly ChunkId[]) {
    try {
      for (const chunkId of ids) {
        const blob = this.chunks.get(chunkId);
        const status = blob === undefined ? ('missing' as const) : ('found' as const);
        yield encodeFrameHeader({ status, length: blob?.length ?? 0, chunkId });
        if (blob !== undefined) yield blob;
      }
      yield encodeEndFrame(ids.length);
    } finally {
      this.readsStopped += 1;
    }
  }

  async lockedUntilMs() {
    return this.lastLockMs;
  }

  async statistics() {
    return {
      tenantId: this.tenantId,
      usedBytes: [...this.packs.values()].reduce((sum, pack) => sum + pack.length, this.usedBytes),
      chunkBytes: 0,
      packs: this.packs.size,
      packBytes: 0,
      chunks: this.chunks.size,
      snapshots: this.snapshots.length,
    };
  }

  async runCollection() {
    return NOTHING_COLLECTED;
  }

  async *verify(onProgress: (bytes: number) => void) {
    onProgress(10);
    yield* this.findings;
  }

  async runScrub({ onProgress }: ScrubRun): Promise<ScrubResult> {
    onProgress?.(10);
    return {
      ...NOTHING_SCRUBBED,
      packs: this.packs.size,
      bytes: 10,
      isComplete: true,
    };
  }

  async listDamages(): Promise<VaultDamages> {
    return { tenantId: this.tenantId, open: 0, healed: 0, items: [] };
  }

  #expectSession({ deviceId }: Caller, sessionId: SessionId): void {
    if (this.#sessions.get(sessionId)?.deviceId === deviceId) return;
    throw new CofreError('not_found', { what: `session ${sessionId}` });
  }
}

export class MemoryVaults implements Vaults {
  readonly quotas = new Map<TenantId, number>();
  readonly described = new Map<TenantId, Parameters<Vaults['describeTenant']>[1]>();
  readonly #vaults = new Map<TenantId, MemoryVault>();

  async open(tenantId: TenantId): Promise<MemoryVault> {
    const vault = this.#vaults.get(tenantId);
    if (vault === undefined) throw new CofreError('not_found', { what: `vault ${tenantId}` });
    return vault;
  }

  async create(tenantId: TenantId): Promise<void> {
    if (!this.#vaults.has(tenantId)) this.#vaults.set(tenantId, new MemoryVault(tenantId));
  }

  async describeTenant(tenantId: TenantId, said: Parameters<Vaults['describeTenant']>[1]): Promise<void> {
    this.quotas.set(tenantId, said.quotaBytes);
    this.described.set(tenantId, said);
  }

  async setQuota(tenantId: TenantId, quotaBytes: number): Promise<void> {
    this.quotas.set(tenantId, quotaBytes);
  }

  async setPeriods(_tenantId: TenantId, periods: Partial<Periods>): Promise<Periods> {
    return { lockMs: 0, softDeleteMs: LIMITS.softDeleteMinMs, ...periods };
  }

  serviceTimeMs(): number {
    return Date.parse(INSTANT);
  }

  async close(): Promise<void> {}
}
