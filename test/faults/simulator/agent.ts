import { CofreError, type ErrorCode } from '@cofre/shared/errors';
import type { PackKind } from '@cofre/shared/format/envelope/pack';
import { newRandomId, type ChunkId, type SetId, type SnapshotId } from '@cofre/shared/ids';
import { expect } from 'vitest';
import { SampleRun } from '../../builders/sample-vault.ts';
import type { SeededRandom } from '../../builders/seeded-random.ts';
import {
  sampleBlob,
  samplePack,
  sampleSnapshot,
  type SampleBlob,
  type SampleDevice,
  type SampleSnapshot,
} from '../../builders/vault-samples.ts';
import type { TenantModel } from './model.ts';

/** What an agent meets whose session ended, or whose head is gone: it begins again. */
const SESSION_OVER: readonly ErrorCode[] = ['session_expired', 'not_found', 'refset_mismatch'];
/** What it can do nothing about now. */
const NO_ROOM: readonly ErrorCode[] = ['over_quota', 'storage_full'];
/** How often a commit may be told that something is missing. */
const ATTEMPTS_MAX = 6;

interface Pack {
  readonly bytes: Buffer;
  readonly operationId: string;
  readonly chunkIds: readonly ChunkId[];
}

interface Commit {
  readonly snapshot: SampleSnapshot;
  readonly mode: 'full' | 'delta';
  readonly refs: readonly ChunkId[];
  readonly root: SampleBlob;
}

/** An agent with a set of its own. What was not answered it asks again, under the same operation. */
export class SimulatedAgent {
  readonly tenant: TenantModel;
  readonly device: SampleDevice;
  readonly setId = newRandomId<SetId>();
  private readonly random: SeededRandom;
  private run: SampleRun | null = null;
  /** What it takes to be on the server. It believes that for as long as nobody tells it otherwise. */
  private readonly believed = new Set<ChunkId>();
  /** What it was told in this session, or has sent in it: that stays as long as the session lives. */
  private readonly promised = new Set<ChunkId>();
  private head: { readonly snapshot: SampleSnapshot; readonly refs: readonly ChunkId[] } | null = null;
  private unanswered: { readonly pack: Pack } | { readonly commit: Commit } | null = null;

  constructor(tenant: TenantModel, device: SampleDevice, random: SeededRandom) {
    this.tenant = tenant;
    this.device = device;
    this.random = random;
  }

  /** One thing that agents do; says what it was. */
  async act(): Promise<string> {
    try {
      if (this.unanswered !== null) return await this.askAgain();
      await this.openWhenNeeded();
      const action = this.random.below(10);
      if (action < 2) return await this.sendSome();
      if (action < 5) return await this.ask(this.some());
      if (action < 9) return await this.commit();
      await this.close();
      return 'closes its session';
    } catch (error) {
      return this.giveUp(error);
    }
  }

  /** Sends again what the server says that it lacks of what the kept snapshots of this device need. */
  async heal(): Promise<number> {
    await this.tenant.vault();
    this.run = null;
    this.unanswered = null;
    this.promised.clear();
    await this.openWhenNeeded();
    const mine = this.tenant.keptSnapshots().filter(({ device }) => device.domainId === this.device.domainId);
    const wanted = [...new Set(mine.flatMap(({ refs }) => refs))];
    const flags = await this.session.have(wanted);
    const missing = wanted.filter((_, place) => flags[place] === 0);
    for (const id of missing) {
      const blob = this.tenant.sealedBefore(id);
      await this.send([blob], blob.type === 'data' ? 'content' : 'catalog');
    }
    await this.close();
    return missing.length;
  }

  private get session(): SampleRun {
    if (this.run === null) throw new Error('no session is open');
    return this.run;
  }

  private async openWhenNeeded(): Promise<void> {
    const vault = await this.tenant.vault();
    if (this.run !== null) {
      // The process may be another one; the session is the same.
      if (this.run.vault !== vault) this.run = this.run.onVault(vault);
      return;
    }
    this.promised.clear();
    this.run = await SampleRun.open(vault, this.device, this.setId);
  }

  private giveUp(error: unknown): string {
    if (!(error instanceof CofreError)) throw error;
    if (NO_ROOM.includes(error.code)) {
      this.run = null;
      this.unanswered = null;
      return `has no room (${error.code})`;
    }
    if (!SESSION_OVER.includes(error.code)) throw error;
    this.run = null;
    this.unanswered = null;
    return `begins again (${error.code})`;
  }

  /** The answer was lost: the same again. If its session is over, the list of snapshots tells. */
  private async askAgain(): Promise<string> {
    const { unanswered } = this;
    if (unanswered === null) return 'has nothing to ask again';
    if (this.run !== null) await this.openWhenNeeded();
    if ('pack' in unanswered) {
      this.unanswered = null;
      await this.sendPack(unanswered.pack);
      return 'sends a pack again';
    }
    const { commit } = unanswered;
    const isThere = await this.isListed(commit.snapshot.snapshotId);
    this.unanswered = null;
    if (isThere || this.random.chance(0.5)) {
      await this.commitUntilWhole(commit);
      return 'commits again';
    }
    await this.close();
    return 'gives a commit up that was not answered';
  }

  private async isListed(snapshotId: SnapshotId): Promise<boolean> {
    const vault = await this.tenant.vault();
    const query = { after: 0, limit: 500, setId: this.setId, deviceId: undefined };
    const { items } = await vault.listSnapshots(this.device.caller, query);
    return items.some((item) => item.snapshotId === snapshotId);
  }

  private async close(): Promise<void> {
    const { run } = this;
    this.run = null;
    if (run === null) return;
    const vault = await this.tenant.vault();
    await vault.closeSession(this.device.caller, run.sessionId);
  }

  private some(): ChunkId[] {
    return this.tenant.poolOf(this.device).filter(() => this.random.chance(0.4));
  }

  private async sendSome(): Promise<string> {
    const ids = this.some();
    if (ids.length === 0) return 'sends nothing';
    await this.send(ids.map((id) => this.tenant.seal(this.device, id, this.random)));
    return `sends ${ids.length} pieces`;
  }

  private async send(blobs: readonly SampleBlob[], kind: PackKind = 'content'): Promise<void> {
    if (blobs.length === 0) return;
    const chunkIds = blobs.map(({ chunkId }) => chunkId);
    await this.sendPack({ bytes: samplePack(blobs, kind), operationId: newRandomId(), chunkIds });
  }

  private async sendPack(pack: Pack): Promise<void> {
    const { bytes, operationId, chunkIds } = pack;
    this.unanswered = { pack };
    const first = await this.session.sendBytes(bytes, operationId);
    // Now and then the answer is lost on its way, and the pack comes twice.
    if (this.random.chance(0.1)) expect(await this.session.sendBytes(bytes, operationId)).toEqual(first);
    this.unanswered = null;
    for (const id of chunkIds) {
      this.believed.add(id);
      this.promised.add(id);
    }
  }

  private async ask(ids: readonly ChunkId[]): Promise<string> {
    const flags = await this.session.have(ids);
    ids.forEach((id, place) => {
      if (flags[place] !== 0) {
        this.believed.add(id);
        this.promised.add(id);
        return;
      }
      expect(this.promised.has(id) && !this.tenant.rotten.has(id), `piece ${id} was promised`).toBe(false);
      this.believed.delete(id);
    });
    return `asks for ${ids.length} pieces`;
  }

  /** Commits some of what it believes in, old beliefs included; what turns out to be missing it sends. */
  private async commit(): Promise<string> {
    if (this.believed.size < 4) await this.sendSome();
    const share = this.random.pick([0.1, 0.5, 0.9]);
    const pool = new Set(this.tenant.poolOf(this.device));
    const content = [...this.believed].filter((id) => pool.has(id) && this.random.chance(share));
    const root = this.tenant.remember(sampleBlob(this.device, { type: 'catalog', table: content }));
    await this.send([root], 'catalog');
    const refs = [...content, root.chunkId];
    const mode = this.head !== null && this.random.chance(0.5) ? 'delta' : 'full';
    try {
      await this.stage(refs, mode);
      const isComplete = this.random.chance(0.85);
      const requires = this.requirement();
      const kind = requires.length > 0 ? 'differential' : this.head === null ? 'full' : 'incremental';
      const changes = { isComplete, requires, kind } as const;
      const snapshot = sampleSnapshot(
        this.session.device,
        refs,
        root.chunkId,
        this.head?.snapshot ?? null,
        changes,
      );
      await this.commitUntilWhole({ snapshot, mode, refs, root });
    } catch (error) {
      // What it staged would be in the way of the next one.
      if (this.unanswered === null || !isLost(error)) await this.close().catch(() => undefined);
      throw error;
    }
    return `commits ${refs.length} pieces (${mode})`;
  }

  private async stage(refs: readonly ChunkId[], mode: 'full' | 'delta'): Promise<void> {
    const before = new Set(mode === 'delta' ? this.head?.refs : []);
    const added = refs.filter((id) => !before.has(id));
    await this.session.stage('add', added);
    const after = new Set(refs);
    const removed = [...before].filter((id) => !after.has(id));
    if (removed.length > 0) await this.session.stage('remove', removed);
  }

  /** Now and then a snapshot cannot do without an earlier one of its set. */
  private requirement(): SnapshotId[] {
    if (!this.random.chance(0.15)) return [];
    const earlier = [...this.tenant.snapshots.values()].filter(
      ({ setId, state, mayBeDeleted }) => setId === this.setId && state === 'kept' && !mayBeDeleted,
    );
    return earlier.length === 0 ? [] : [this.random.pick(earlier).snapshotId];
  }

  private async commitUntilWhole(commit: Commit): Promise<void> {
    const { snapshot, mode, refs, root } = commit;
    const { snapshotId, manifest } = snapshot;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      this.unanswered = { commit };
      this.tenant.unanswered.add(snapshotId);
      const result = await this.session.commit(snapshot, mode);
      this.unanswered = null;
      if (result.status === 'committed') {
        this.head = { snapshot, refs };
        this.tenant.acknowledge({
          snapshotId,
          device: this.device,
          setId: this.setId,
          sequence: manifest.sequence,
          isComplete: manifest.isComplete,
          refs,
          requires: manifest.requires,
          state: 'kept',
          lockedUntilMs: Date.parse(result.lockedUntil),
          contentUntilMs: null,
          mayBeDeleted: false,
        });
        return;
      }
      this.tenant.unanswered.delete(snapshotId);
      const broken = result.missing.filter((id) => this.promised.has(id) && !this.tenant.rotten.has(id));
      expect(broken, 'what this session was promised').toEqual([]);
      const missing = result.missing.filter((id) => id !== root.chunkId);
      if (missing.length < result.missing.length) await this.send([root], 'catalog');
      await this.send(missing.map((id) => this.tenant.seal(this.device, id, this.random)));
    }
    throw new Error('a commit found something missing again and again');
  }
}

/** Whether the process that was asked has ended, or is about to: what was asked may have been done. */
export function isLost(error: unknown): boolean {
  return error instanceof CofreError && (error.code === 'storage_failed' || error.code === 'unavailable');
}
