import { CofreError } from '@cofre/shared/errors';
import { snapshotIdOf, type Manifest } from '@cofre/shared/format/envelope/manifest';
import { encodeReceipt } from '@cofre/shared/format/envelope/receipt';
import type { SessionId, SnapshotId } from '@cofre/shared/ids';
import type { CommittedRow, StartedCommit } from '../index/commits.store.ts';
import type { NewObject } from '../index/objects.store.ts';
import type { PackedIds } from '../index/packed-ids.ts';
import type { InSession } from '../index/sessions.store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { Caller, CommitResult } from '../vault.ts';
import type { VaultContext } from '../vault-context.ts';
import { MissingIds } from './missing-ids.ts';
import { openManifest, refsetAfter, requireRefset, requireSame, type Refset } from './commit-checks.ts';

/** Ids that one step of a commit looks up: some tens of milliseconds on a database thread. */
const STEP_IDS_MAX = 5_000;
/** How often a commit starts over when chunks stopped being live under it. */
const ATTEMPTS_MAX = 3;

type Started = Extract<StartedCommit, { status: 'started' }>;

/** One commit on its way: what was asked, and what it starts from. */
interface Attempt {
  readonly caller: Caller;
  readonly inSession: InSession;
  readonly object: Buffer;
  readonly manifest: Manifest;
  readonly snapshotId: SnapshotId;
  readonly isDelta: boolean;
  /** Where the index keeps what was resolved. */
  readonly draft: number;
  readonly started: Started;
  readonly refset: Refset;
}

/**
 * Makes snapshots. All checks are made beforehand, in bounded steps; then manifest and receipt become durable; then
 * one transaction looks again at what may have changed meanwhile (lease, head, liveness) and makes the rows.
 */
export class Committer {
  private readonly vault: VaultContext;
  private readonly objects: ObjectStore;
  private lastDraft = 0;

  constructor(vault: VaultContext, objects: ObjectStore) {
    this.vault = vault;
    this.objects = objects;
  }

  /** @throws CofreError as the checks say: `head_moved`, `refset_mismatch`, `untrusted`, `session_expired` … */
  async commit(
    caller: Caller,
    sessionId: SessionId,
    object: Buffer,
    refs: 'full' | 'delta',
  ): Promise<CommitResult> {
    const manifest = openManifest(this.vault.tenantId, caller, object);
    const snapshotId = snapshotIdOf(object);
    for (let count = 0; count < ATTEMPTS_MAX; count++) {
      const inSession = { sessionId, deviceId: caller.deviceId, nowMs: this.vault.nowMs() };
      const started = await this.vault.index.call('startCommit', { ...inSession, ...manifest, snapshotId });
      if (started.status === 'known') return committed(snapshotId, started.committed);
      requireSame('domain', manifest.domainId, started.domainId);
      requireSame('set', manifest.setId, started.setId);
      const refset = refsetAfter(started.head, started.parts, refs);
      requireRefset(manifest, refset);
      const isDelta = refs === 'delta';
      const draft = ++this.lastDraft;
      const attempt = { caller, inSession, object, manifest, snapshotId, isDelta, draft, started, refset };
      const result = await this.attempt(attempt);
      if (result !== 'again') return result;
    }
    throw new CofreError('unavailable', { problem: 'pieces are being collected at the same time' });
  }

  private async attempt(attempt: Attempt): Promise<CommitResult | 'again'> {
    const { draft } = attempt;
    try {
      const missing = (await this.resolve(attempt)) ?? (await this.walk(attempt));
      if (missing !== null) return { status: 'missing', total: missing.total, missing: missing.ids() };
      this.vault.crashPoint('commit-checked');
      return await this.objects.exclusively(() => this.publish(attempt));
    } finally {
      if (!this.vault.gate.hasFailed) await this.vault.index.call('clearDraft', { draft });
    }
  }

  /** Looks every staged id up; null when all are live and fit the head. */
  private async resolve({ started, isDelta, draft }: Attempt): Promise<MissingIds | null> {
    const missing = new MissingIds();
    let conflicts = 0;
    for (const { mode, part, count, hashState } of started.parts) {
      for (let start = 0; start < count; start += STEP_IDS_MAX) {
        const step = await this.vault.index.call('resolveRefs', {
          draft,
          session: started.session,
          domain: started.domain,
          headChain: started.chain,
          isDelta,
          mode,
          part,
          hashState,
          start,
          end: Math.min(count, start + STEP_IDS_MAX),
        });
        missing.add(step.missing);
        conflicts += step.conflicts;
      }
    }
    if (conflicts > 0) {
      const problem = `${conflicts} pieces are listed twice, or contradict the snapshot before`;
      throw new CofreError('refset_mismatch', { problem });
    }
    return missing.total === 0 ? null : missing;
  }

  /**
   * Walks the nodes that come and go: whatever the new catalog needs has to be in the refset, and live. Null when it is.
   */
  private async walk(attempt: Attempt): Promise<MissingIds | null> {
    const missing = new MissingIds();
    let outside = await this.walkAll(attempt, 'walkAdded', missing);
    if (attempt.isDelta) outside += await this.walkAll(attempt, 'walkRemoved', missing);
    const end = await this.vault.index.call('concludeWalk', {
      ...walkOf(attempt),
      catalogRoot: Buffer.from(attempt.manifest.catalogRoot, 'hex'),
    });
    missing.add(end.damaged);
    if (missing.total > 0) return missing;
    outside += end.stillNeeded + (end.hasRoot ? 0 : 1);
    if (outside === 0 && end.unneeded === 0) return null;
    const problem =
      outside > 0
        ? `${outside} pieces that the catalog needs are not listed`
        : `${end.unneeded} pieces are listed that the catalog does not need`;
    throw new CofreError('refset_mismatch', { problem });
  }

  /** @returns how many ids of these nodes lie outside the refset */
  private async walkAll(
    attempt: Attempt,
    operation: 'walkAdded' | 'walkRemoved',
    missing: MissingIds,
  ): Promise<number> {
    let outside = 0;
    for (let after: number | null = 0; after !== null;) {
      const step: WalkedStep = await this.vault.index.call(operation, {
        ...walkOf(attempt),
        after,
        idsMax: STEP_IDS_MAX,
      });
      if (step.missing !== undefined) missing.add(step.missing);
      outside += step.outside;
      after = step.next;
    }
    return outside;
  }

  private async publish(attempt: Attempt): Promise<CommitResult | 'again'> {
    const { snapshotId, caller, object } = attempt;
    // A repeated call that overtook this one has made the snapshot: that is no head that moved.
    const known = await this.vault.index.call('findCommitted', { snapshotId, deviceId: caller.deviceId });
    if (known !== null) return committed(snapshotId, known);
    const receivedMs = this.vault.nowMs();
    const lockedUntilMs = receivedMs + attempt.started.lockMs;
    const receipt = encodeReceipt({
      snapshotId,
      receivedNs: BigInt(receivedMs) * 1_000_000n,
      lockedUntilNs: BigInt(lockedUntilMs) * 1_000_000n,
    });
    const contents = [
      { kind: 'manifest', key: snapshotId, deviceId: caller.deviceId, bytes: object },
      { kind: 'receipt', key: snapshotId, deviceId: caller.deviceId, bytes: receipt },
    ] as const;
    try {
      return await this.objects.publish(contents, async (objects) => {
        const [manifest, stored] = objects as [NewObject, NewObject];
        const times = { receivedMs, lockedUntilMs };
        const outcome = await this.vault.index.call(
          'finishCommit',
          finishInput(attempt, manifest, stored, times),
        );
        if (outcome === 'again') throw new CommitAgain();
        return committed(snapshotId, { number: manifest.number, ...times });
      });
    } catch (error) {
      if (error instanceof CommitAgain) return 'again';
      throw error;
    }
  }
}

interface WalkedStep {
  readonly missing?: PackedIds;
  readonly outside: number;
  readonly next: number | null;
}

function walkOf({ draft, started, isDelta }: Attempt) {
  return { draft, domain: started.domain, chain: started.chain, isDelta };
}

/** Takes the published objects back on the way out. */
class CommitAgain extends Error {}

function finishInput(
  attempt: Attempt,
  manifest: NewObject,
  receipt: NewObject,
  times: { receivedMs: number; lockedUntilMs: number },
) {
  const { started, refset } = attempt;
  const countOf = (mode: string): number =>
    started.parts.reduce((sum, part) => (part.mode === mode ? sum + part.count : sum), 0);
  return {
    ...attempt.inSession,
    nowMs: times.receivedMs,
    draft: attempt.draft,
    session: started.session,
    domain: started.domain,
    setId: started.setId,
    chain: started.chain,
    isDelta: attempt.isDelta,
    livenessEpoch: started.livenessEpoch,
    added: countOf('add'),
    removed: countOf('remove'),
    snapshotId: attempt.snapshotId,
    sequence: attempt.manifest.sequence,
    previous: attempt.manifest.previous,
    isComplete: attempt.manifest.isComplete,
    requires: attempt.manifest.requires,
    refsetState: refset.state,
    refsetCount: refset.count,
    ...times,
    manifest,
    receipt,
  };
}

function committed(snapshotId: SnapshotId, row: CommittedRow): CommitResult {
  return {
    status: 'committed',
    snapshotId,
    number: row.number,
    received: new Date(row.receivedMs).toISOString(),
    lockedUntil: new Date(row.lockedUntilMs).toISOString(),
  };
}
