import { CofreError } from '@cofre/shared/errors';
import { readBlobHeader, readBlobTable } from '@cofre/shared/format/envelope/blob';
import { decodeManifest, snapshotIdOf, type Manifest } from '@cofre/shared/format/envelope/manifest';
import {
  decodePackTail,
  packTailLengthFromEnd,
  PACK_END_BYTES,
  PACK_HEADER_BYTES,
} from '@cofre/shared/format/envelope/pack';
import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import { decodeKeyringObject } from '@cofre/shared/format/envelope/sealed-keys';
import { openSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { sha256 } from '@cofre/shared/hash';
import { CHUNK_ID_BYTES, newRandomId, type ChunkId, type SessionId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { CommitRequest, CommitResponse, OpenSessionRequest, Session } from '@cofre/shared/wire/sessions';
import type { CommitOutcome, ServerClient } from '../../packages/agent/src/client/server-client.ts';
import { fakeServerClient } from './fake-server-client.ts';
import type { FakeDevice, FakeVault } from './fake-vault.ts';

interface OpenSession {
  readonly setId: string;
  readonly staged: Map<string, readonly ChunkId[]>;
  isOpen: boolean;
}

interface Chain {
  readonly snapshotId: Manifest['previous'] & string;
  readonly sequence: number;
  readonly refset: ReadonlySet<ChunkId>;
}

/**
 * The server as a device that backs up sees it, in memory, on top of a vault that can be read and restored from.
 * It is as strict as the real one: sessions, the order of a chain, hashes of blobs and of refsets, liveness, and that
 * nothing which a node refers to lies outside the refset. Faults are injected by wrapping {@link client}.
 */
export class BackupServer {
  /** Calls in order, by name. */
  readonly calls: string[] = [];
  readonly manifests: Manifest[] = [];
  readonly openSessions = new Map<string, OpenSession>();
  /** By set id. */
  readonly chains = new Map<string, Chain>();
  /** Chunks that were not looked at for long. */
  readonly unverified = new Set<ChunkId>();
  /** Whether a session names what its head lacks; without it a run learns that at its commit. */
  tellsDamage = false;
  packBytes = 0;
  packsReceived = 0;
  askedIds = 0;
  private readonly vault: FakeVault;
  private readonly device: FakeDevice;
  private readonly operations = new Set<string>();

  constructor(vault: FakeVault, device: FakeDevice) {
    this.vault = vault;
    this.device = device;
  }

  /** Calls of one name so far. */
  countOf(name: string): number {
    return this.calls.filter((call) => call === name).length;
  }

  hasChunk(id: ChunkId): boolean {
    return (this.vault.blobs.get(this.place(id)) ?? null) !== null;
  }

  /** Loses a chunk, as a scrub that finds it damaged does. */
  lose(id: ChunkId): void {
    this.vault.blobs.set(this.place(id), null);
  }

  private damagedOf(refset: ReadonlySet<ChunkId>): ChunkId[] {
    return this.tellsDamage ? [...refset].filter((id) => !this.hasChunk(id)) : [];
  }

  /** Ends all sessions, as time does. */
  expireSessions(): void {
    for (const session of this.openSessions.values()) session.isOpen = false;
  }

  client(): ServerClient {
    return {
      ...fakeServerClient(this.vault, this.device),
      trust: async () => this.noted('trust', () => this.vault.trust),
      storeObject: async (kind, object) => this.noted('storeObject', () => this.storeObject(kind, object)),
      openSession: async (request) => this.noted('openSession', () => this.open(request)),
      renewSession: async (id) => this.noted('renewSession', () => void this.require(id)),
      closeSession: async (id) => this.noted('closeSession', () => void (this.require(id).isOpen = false)),
      have: async (id, ids, withinMs) => this.noted('have', () => this.have(id, ids, withinMs)),
      putPack: async (id, operation, parts) =>
        this.noted('putPack', () => this.putPack(id, operation, parts)),
      stageRefs: async (id, part, mode, ids) =>
        this.noted('stageRefs', () => this.stage(id, `${mode} ${part}`, ids)),
      commit: async (id, request) => this.noted('commit', () => this.commit(id, request)),
    };
  }

  private noted<Result>(name: string, call: () => Result): Result {
    this.calls.push(name);
    return call();
  }

  private place(id: ChunkId): string {
    return `${this.device.domain.domainId} ${id}`;
  }

  private storeObject(kind: string, object: Uint8Array): void {
    const signed = Buffer.from(object);
    const payload = openSignedObject(signed, 'keyring', this.device.identity.signingKey.publicKey);
    this.vault.objects.set(`${kind} ${decodeKeyringObject(payload).keyPeriodId}`, signed);
  }

  private open({ setId }: OpenSessionRequest): Session {
    const sessionId = newRandomId();
    this.openSessions.set(sessionId, { setId, staged: new Map(), isOpen: true });
    const chain = this.chains.get(setId);
    const head =
      chain === undefined
        ? null
        : {
            snapshotId: chain.snapshotId,
            sequence: chain.sequence,
            refsetCount: chain.refset.size,
            refsetDigest: hashOf(chain.refset).digest().toString('hex'),
            damaged: Buffer.from(this.damagedOf(chain.refset).join(''), 'hex').toString('base64'),
          };
    const live = [...this.vault.blobs.values()].filter((blob) => blob !== null).length;
    const serviceTime = new Date().toISOString();
    return { sessionId, generation: 1, leaseMs: 600_000, head, domainChunkCount: live, serviceTime };
  }

  private require(sessionId: SessionId): OpenSession {
    const session = this.openSessions.get(sessionId);
    if (session === undefined) throw new CofreError('not_found', { what: 'session' });
    if (!session.isOpen) throw new CofreError('session_expired', { session: sessionId });
    return session;
  }

  private have(sessionId: SessionId, ids: Uint8Array, verifiedWithinMs?: number): Uint8Array {
    this.require(sessionId);
    const asked = idsIn(ids);
    if (asked.length > LIMITS.haveIdsMax) throw new CofreError('too_large', { what: 'A question' });
    this.askedIds += asked.length;
    const isAgeAsked = verifiedWithinMs !== undefined;
    return Uint8Array.from(asked, (id) => {
      if (!this.hasChunk(id)) return 0;
      return isAgeAsked && this.unverified.has(id) ? 2 : 1;
    });
  }

  private putPack(sessionId: SessionId, operationId: string, parts: readonly Uint8Array[]) {
    this.require(sessionId);
    const pack = Buffer.concat(parts);
    const { entries, kind } = decodePackTail(
      pack.subarray(-packTailLengthFromEnd(pack.subarray(-PACK_END_BYTES))),
    );
    if (this.operations.has(operationId)) throw new RangeError('an operation id was used twice');
    this.operations.add(operationId);
    let position = PACK_HEADER_BYTES;
    let healed = 0;
    for (const { chunkId, type, length, sha256: hash } of entries) {
      const blob = Buffer.from(pack.subarray(position, position + length));
      const header = readBlobHeader(blob);
      const isRight = header.chunkId === chunkId && header.type === type && sha256(blob).equals(hash);
      const isApart = (kind === 'content') === (type === 'data');
      if (!isRight || !isApart) throw new CofreError('pack_invalid', { problem: `blob ${chunkId}` });
      if (!this.vault.objects.has(`keyring ${header.keyPeriodId}`))
        throw new CofreError('pack_invalid', { problem: 'its key was never stored' });
      if (this.vault.blobs.get(this.place(chunkId)) === null) healed += 1;
      this.vault.blobs.set(this.place(chunkId), blob);
      position += length;
    }
    this.packBytes += pack.length;
    this.packsReceived += 1;
    return { packNumber: this.packsReceived, blobs: entries.length, duplicates: 0, healed };
  }

  private stage(sessionId: SessionId, part: string, ids: Uint8Array): void {
    const staged = idsIn(ids);
    if (staged.length > LIMITS.refsPartIdsMax) throw new CofreError('too_large', { what: 'A part' });
    if (staged.some((id, place) => place > 0 && id <= (staged[place - 1] as string)))
      throw new CofreError('invalid_request', { problem: 'ids do not ascend' });
    this.require(sessionId).staged.set(part, staged);
  }

  private commit(sessionId: SessionId, { manifest: encoded, refs }: CommitRequest): CommitOutcome {
    const object = Buffer.from(encoded, 'base64');
    const manifest = decodeManifest(
      openSignedObject(object, 'manifest', this.device.identity.signingKey.publicKey),
    );
    const snapshotId = snapshotIdOf(object);
    const chain = this.chains.get(manifest.setId);
    if (chain?.snapshotId === snapshotId)
      return { status: 'committed', ...receipt(snapshotId, chain.sequence) };
    const session = this.require(sessionId);
    if (session.setId !== manifest.setId) throw new CofreError('invalid_request', { problem: 'another set' });
    if (manifest.sequence !== (chain?.sequence ?? 0) + 1 || manifest.previous !== (chain?.snapshotId ?? null))
      throw new CofreError('head_moved');
    const refset = refsetAfter(refs === 'delta' ? (chain?.refset ?? new Set()) : new Set(), session.staged);
    const digest = hashOf(refset).digest().toString('hex');
    if (refset.size !== manifest.refset.count || digest !== manifest.refset.digest)
      throw new CofreError('refset_mismatch', { problem: `${refset.size} pieces` });
    const missing = this.missingFrom(session, refset, manifest.catalogRoot);
    if (missing.length > 0) return { status: 'missing', missing };
    session.staged.clear();
    this.chains.set(manifest.setId, { snapshotId, sequence: manifest.sequence, refset });
    this.manifests.push(manifest);
    this.vault.snapshots.push({
      ...receipt(snapshotId, this.vault.snapshots.length + 1),
      deviceId: manifest.deviceId,
      setId: manifest.setId,
      state: 'kept',
      contentUntil: null,
      manifest: encoded,
    });
    return { status: 'committed', ...receipt(snapshotId, manifest.sequence) };
  }

  /** As the server: what was added has to be live, and whatever an added node refers to, live and in the refset. */
  private missingFrom(session: OpenSession, refset: ReadonlySet<ChunkId>, root: ChunkId): ChunkId[] {
    const missing = new Set<ChunkId>();
    if (!refset.has(root)) throw new CofreError('refset_mismatch', { problem: 'the root is not listed' });
    for (const [part, ids] of session.staged) {
      if (!part.startsWith('add')) continue;
      for (const id of ids) {
        if (!this.hasChunk(id)) missing.add(id);
        for (const below of this.tableOf(id)) {
          if (!this.hasChunk(below)) missing.add(below);
          else if (!refset.has(below))
            throw new CofreError('refset_mismatch', { problem: 'a piece of the catalog is not listed' });
        }
      }
    }
    return [...missing];
  }

  private tableOf(id: ChunkId): ChunkId[] {
    const blob = this.vault.blobs.get(this.place(id)) ?? null;
    return blob === null ? [] : readBlobTable(blob, readBlobHeader(blob));
  }
}

function refsetAfter(
  before: ReadonlySet<ChunkId>,
  staged: ReadonlyMap<string, readonly ChunkId[]>,
): Set<ChunkId> {
  const refset = new Set(before);
  let conflicts = 0;
  for (const [part, ids] of staged) {
    for (const id of ids) {
      if (part.startsWith('add') === refset.has(id)) conflicts += 1;
      if (part.startsWith('add')) refset.add(id);
      else refset.delete(id);
    }
  }
  if (conflicts > 0) throw new CofreError('refset_mismatch', { problem: `${conflicts} pieces contradict` });
  return refset;
}

function hashOf(refset: ReadonlySet<ChunkId>): RefsetHash {
  const hash = RefsetHash.empty();
  for (const id of refset) hash.add(id);
  return hash;
}

function idsIn(ids: Uint8Array): ChunkId[] {
  const bytes = Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength);
  return Array.from({ length: bytes.length / CHUNK_ID_BYTES }, (_, place) => {
    return bytes.toString('hex', place * CHUNK_ID_BYTES, (place + 1) * CHUNK_ID_BYTES) as ChunkId;
  });
}

function receipt(snapshotId: Manifest['previous'] & string, number: number): CommitResponse {
  return {
    snapshotId,
    number,
    received: '2026-01-01T00:00:00.000Z',
    lockedUntil: '2026-01-08T00:00:00.000Z',
  };
}
