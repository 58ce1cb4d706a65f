import { prepareBlob, sealBlob } from '@cofre/shared/crypto/blob-cipher';
import type { DomainKeys } from '@cofre/shared/crypto/domain-keys';
import type { PeriodKeys } from '@cofre/shared/crypto/key-period';
import { encodeManifest, snapshotIdOf, type Manifest } from '@cofre/shared/format/envelope/manifest';
import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import { encodeSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { encodeSnapshotInfo, type SnapshotInfo } from '@cofre/shared/format/snapshot-info';
import { CofreError } from '@cofre/shared/errors';
import { CHUNK_ID_BYTES, type ChunkId, type SessionId, type SnapshotId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { SigningKey } from '@cofre/shared/signature';
import { CHUNK_STATES, type ChunkTable } from './pipeline/chunk-table.ts';
import type { RunClient } from './run-client.ts';

/** A commit was refused because these chunks are not on the server. */
export class CommitRefusedError extends CofreError {
  readonly missing: readonly ChunkId[];

  constructor(missing: readonly ChunkId[]) {
    super('missing_chunks', { count: missing.length });
    this.missing = missing;
  }
}

/** Of the lists in a snapshot's info, each: with three of them a manifest stays below `manifestBytesMax`. */
const INFO_LIST_BYTES_MAX = 56 * 1024;
/** Lengths in front of an item and its parts. */
const ITEM_COST_BYTES = 8;

/** The refset of a new snapshot, and how it differs from the head's. */
export interface RefsetChange {
  readonly refs: 'full' | 'delta';
  /** Ascending ids of 32 bytes. */
  readonly added: Buffer;
  readonly removed: Buffer;
  readonly hash: RefsetHash;
}

/**
 * @param headState the head's `RefsetHash.state()`, or null when this device does not know the head's
 *   refset: then the whole new one is sent
 */
export function refsetChange(
  table: ChunkTable,
  headState: { state: Buffer; count: number } | null,
): RefsetChange {
  const isDelta = headState !== null;
  const added = table.collectWhere((state) => isWanted(state) && !(isDelta && isHeld(state)));
  const removed = isDelta
    ? table.collectWhere((state) => isHeld(state) && !isWanted(state))
    : Buffer.alloc(0);
  const hash = isDelta ? RefsetHash.fromState(headState.state, headState.count) : RefsetHash.empty();
  for (const id of idsIn(added)) hash.add(id);
  for (const id of idsIn(removed)) hash.remove(id);
  return { refs: isDelta ? 'delta' : 'full', added, removed, hash };
}

/** The snapshot is committed: what it refers to is the head's from now on. */
export function moveHead(table: ChunkTable): void {
  const { held, passing } = CHUNK_STATES;
  table.changeAll((state) => {
    const rest = state & ~(held | passing);
    return isWanted(state) ? rest | held : rest;
  });
}

function isWanted(state: number): boolean {
  return (state & (CHUNK_STATES.needed | CHUNK_STATES.passing)) !== 0;
}

function isHeld(state: number): boolean {
  return (state & CHUNK_STATES.held) !== 0;
}

/**
 * Seals what only the customer may know into a blob of its own, for the manifest. Of lists that would make the
 * manifest larger than a server takes, the first ones are kept: a run must not fail at its end for what it tells.
 */
export function sealInfo(info: SnapshotInfo, domain: DomainKeys, period: PeriodKeys): Buffer {
  const plaintext = encodeSnapshotInfo({
    ...info,
    roots: firstOf(info.roots, (root) => root.length),
    excludes: firstOf(info.excludes, (pattern) => Buffer.byteLength(pattern)),
    failures: firstOf(info.failures, ({ path, reason }) => path.length + Buffer.byteLength(reason)),
  });
  const table = Buffer.alloc(0);
  const chunkId = domain.nodeId('info', table, plaintext);
  const prepared = prepareBlob({ type: 'info', chunkId, table, plaintext });
  const blob = Buffer.alloc(prepared.lengthBytes);
  sealBlob(blob, 0, prepared, domain, period);
  return blob;
}

function firstOf<Item>(items: readonly Item[], bytesOf: (item: Item) => number): readonly Item[] {
  let bytes = 0;
  const end = items.findIndex((item) => (bytes += bytesOf(item) + ITEM_COST_BYTES) > INFO_LIST_BYTES_MAX);
  return end < 0 ? items : items.slice(0, end);
}

/**
 * Sends the change of the refset in parts, then the signed manifest. Safe to repeat as a whole.
 * @throws CommitRefusedError for want of chunks, CofreError `protocol` when the server says that it keeps another manifest than this one
 */
export async function commitSnapshot(
  client: RunClient,
  sessionId: SessionId,
  manifest: Manifest,
  change: RefsetChange,
  signingKey: SigningKey,
): Promise<SnapshotId> {
  await stageAll(client, sessionId, 'add', change.added);
  await stageAll(client, sessionId, 'remove', change.removed);
  const signed = encodeSignedObject('manifest', encodeManifest(manifest), signingKey);
  const outcome = await client.commit(sessionId, {
    manifest: signed.toString('base64'),
    refs: change.refs,
  });
  if (outcome.status === 'missing') throw new CommitRefusedError(outcome.missing);
  const snapshotId = snapshotIdOf(signed);
  if (outcome.snapshotId === snapshotId) return snapshotId;
  throw new CofreError('protocol', { problem: 'it committed another snapshot than the one that was sent' });
}

async function stageAll(
  client: RunClient,
  sessionId: SessionId,
  mode: 'add' | 'remove',
  ids: Buffer,
): Promise<void> {
  const step = LIMITS.refsPartIdsMax * CHUNK_ID_BYTES;
  for (let part = 0; part * step < ids.length; part++) {
    await client.stageRefs(sessionId, part, mode, ids.subarray(part * step, (part + 1) * step));
  }
}

function* idsIn(ids: Buffer): Generator<ChunkId> {
  for (let offset = 0; offset < ids.length; offset += CHUNK_ID_BYTES) {
    yield ids.toString('hex', offset, offset + CHUNK_ID_BYTES) as ChunkId;
  }
}
