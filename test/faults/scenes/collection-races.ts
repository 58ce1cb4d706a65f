import { CofreError, isErrorCode, type ErrorCode } from '@cofre/shared/errors';
import { newRandomId, type ChunkId, type SetId, type SnapshotId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { Vault } from '@cofre/server/vault/vault';
import { expect } from 'vitest';
import {
  addSampleTenant,
  openSampleVaults,
  readBlobs,
  SampleRun,
  verifyAll,
  type OpenedVaults,
} from '../../builders/sample-vault.ts';
import { SeededRandom } from '../../builders/seeded-random.ts';
import {
  sampleBlob,
  sampleSnapshot,
  type SampleBlob,
  type SampleDevice,
  type SampleSnapshot,
} from '../../builders/vault-samples.ts';

/** Content that both agents have: small enough a number that they meet all the time. */
const POOL_BLOBS = 24;
const HOUR_MS = 3_600_000;
/** What passes between two steps: within a lease, or over one. */
const SHORT_HOURS = [0.02, 0.05, 0.1, 0.3];
/** Over the grace of what is condemned, over lock and undo time. */
const LONG_HOURS = [
  26,
  LIMITS.condemnedGraceMs / HOUR_MS + 1,
  LIMITS.condemnedGraceMs / HOUR_MS + 1,
  8 * 24,
  15 * 24,
];
/** What an agent meets whose session ended, or whose head is gone: it begins again. */
const SESSION_OVER: readonly ErrorCode[] = ['session_expired', 'not_found', 'refset_mismatch'];
/** How often a commit may be told that something is missing. */
const MAX_ATTEMPTS = 6;

interface Committed {
  readonly snapshotId: SnapshotId;
  readonly refs: readonly ChunkId[];
}

/** What happened, to see that a run was not idle. */
export interface RaceCounts {
  commits: number;
  refusedForMissing: number;
  sessionsLost: number;
  dropped: number;
  repackedPacks: number;
  snapshotsGone: number;
}

/** All that the server was ever given, and what it answered. */
class World {
  readonly opened: OpenedVaults;
  readonly vault: Vault;
  readonly device: SampleDevice;
  readonly random: SeededRandom;
  readonly pool: readonly ChunkId[];
  readonly committed: Committed[] = [];
  readonly counts: RaceCounts = {
    commits: 0,
    refusedForMissing: 0,
    sessionsLost: 0,
    dropped: 0,
    repackedPacks: 0,
    snapshotsGone: 0,
  };
  /** Sealings of a piece that the server may hold: which of them does not matter. */
  private readonly sealings = new Map<ChunkId, SampleBlob[]>();

  constructor(opened: OpenedVaults, vault: Vault, device: SampleDevice, random: SeededRandom) {
    this.opened = opened;
    this.vault = vault;
    this.device = device;
    this.random = random;
    this.pool = Array.from({ length: POOL_BLOBS }, () => sampleBlob(device).chunkId);
  }

  /** A piece as some agent seals it now: perhaps anew, to other bytes. */
  seal(chunkId: ChunkId): SampleBlob {
    const known = this.sealings.get(chunkId) ?? [];
    if (known.length > 0 && this.random.chance(0.7)) return this.random.pick(known);
    const sealedLength = this.random.between(200, 20_000);
    return this.remember(sampleBlob(this.device, { chunkId, sealedLength }));
  }

  remember(blob: SampleBlob): SampleBlob {
    this.sealings.set(blob.chunkId, [...(this.sealings.get(blob.chunkId) ?? []), blob]);
    return blob;
  }

  isSealing(chunkId: ChunkId, bytes: Buffer): boolean {
    return (this.sealings.get(chunkId) ?? []).some((blob) => blob.bytes.equals(bytes));
  }

  some(): ChunkId[] {
    return this.pool.filter(() => this.random.chance(0.4));
  }
}

/** An agent with a set of its own. Both of them are of one domain, and one uploads what the other relies on. */
class Agent {
  private readonly world: World;
  private readonly setId = newRandomId<SetId>();
  private run: SampleRun | null = null;
  /** What it takes to be on the server. It believes that for as long as nobody tells it otherwise. */
  private readonly believed = new Set<ChunkId>();
  /** What it was told in this session, or has sent in it: that stays as long as the session lives. */
  private readonly promised = new Set<ChunkId>();
  private head: { readonly snapshot: SampleSnapshot; readonly refs: readonly ChunkId[] } | null = null;

  constructor(world: World) {
    this.world = world;
  }

  async act(): Promise<void> {
    const { random } = this.world;
    try {
      if (this.run === null) {
        this.promised.clear();
        this.run = await SampleRun.open(this.world.vault, this.world.device, this.setId);
      }
      const action = random.below(10);
      if (action < 2) await this.send(this.world.some());
      else if (action < 6) await this.ask(this.world.some());
      else if (action < 9) await this.commit();
      else await this.close();
    } catch (error) {
      if (!(error instanceof CofreError) || !SESSION_OVER.includes(error.code)) throw error;
      this.world.counts.sessionsLost += 1;
      this.run = null;
    }
  }

  private get session(): SampleRun {
    if (this.run === null) throw new Error('no session is open');
    return this.run;
  }

  private async close(): Promise<void> {
    await this.world.vault.closeSession(this.world.device.caller, this.session.sessionId);
    this.run = null;
  }

  private async send(ids: readonly ChunkId[]): Promise<void> {
    if (ids.length === 0) return;
    await this.session.send(ids.map((id) => this.world.seal(id)));
    for (const id of ids) this.learn(id);
  }

  private async ask(ids: readonly ChunkId[]): Promise<void> {
    const flags = await this.session.have(ids);
    ids.forEach((id, place) => {
      if (flags[place] === 1) this.learn(id);
      else this.believed.delete(id);
    });
  }

  private learn(id: ChunkId): void {
    this.believed.add(id);
    this.promised.add(id);
  }

  /** Commits some of what it believes in, old beliefs included; what turns out to be missing it sends. */
  private async commit(): Promise<void> {
    const { random, device } = this.world;
    const share = random.pick([0.1, 0.3, 0.9]);
    const content = [...this.believed].filter(() => random.chance(share));
    const root = this.world.remember(sampleBlob(device, { type: 'catalog', table: content }));
    await this.session.send([root], 'catalog');
    const refs = [...content, root.chunkId];
    const mode = this.head !== null && random.chance(0.5) ? 'delta' : 'full';
    const before = new Set(mode === 'delta' ? this.head?.refs : []);
    await this.session.stage(
      'add',
      refs.filter((id) => !before.has(id)),
    );
    const after = new Set(refs);
    const removed = [...before].filter((id) => !after.has(id));
    if (removed.length > 0) await this.session.stage('remove', removed);
    const snapshot = sampleSnapshot(this.session.device, refs, root.chunkId, this.head?.snapshot ?? null);
    try {
      await this.commitUntilWhole(snapshot, mode, root);
    } catch (error) {
      // What it staged would be in the way of the next one.
      await this.close().catch(() => undefined);
      throw error;
    }
    this.head = { snapshot, refs };
    this.world.committed.push({ snapshotId: snapshot.snapshotId, refs });
    this.world.counts.commits += 1;
  }

  private async commitUntilWhole(
    snapshot: SampleSnapshot,
    mode: 'full' | 'delta',
    root: SampleBlob,
  ): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const result = await this.session.commit(snapshot, mode);
      if (result.status === 'committed') return;
      this.world.counts.refusedForMissing += 1;
      expect(
        result.missing.filter((id) => this.promised.has(id)),
        'what this session was promised',
      ).toEqual([]);
      const missing = result.missing.filter((id) => id !== root.chunkId);
      if (missing.length < result.missing.length) await this.session.send([root], 'catalog');
      await this.send(missing);
    }
    throw new Error('a commit found something missing again and again');
  }
}

async function collect(world: World): Promise<void> {
  const { signal } = new AbortController();
  const result = await world.vault.runCollection({ signal, bytesPerSecond: null, readersGraceMs: 0 });
  world.counts.dropped += result.dropped;
  world.counts.repackedPacks += result.repackedPacks;
}

async function deleteOne(world: World): Promise<void> {
  if (world.committed.length === 0) return;
  try {
    await world.vault.retention.deleteSnapshot(world.random.pick(world.committed).snapshotId, false);
  } catch (error) {
    // Locked, required, gone already: it says so, and nothing happened.
    if (!(error instanceof CofreError) || !isErrorCode(error.code) || error.code === 'internal') throw error;
  }
}

async function dropExpired(world: World): Promise<void> {
  world.counts.snapshotsGone += (await world.vault.retention.dropExpired()).dropped;
}

/** I1: every snapshot that is not gone by a rule is there, byte for byte. */
async function expectSnapshotsWhole(world: World): Promise<void> {
  const query = { after: 0, limit: LIMITS.pageItemsMax, setId: undefined, deviceId: undefined };
  const { items } = await world.vault.listSnapshots(world.device.caller, query);
  const states = new Map(items.map(({ snapshotId, state }) => [snapshotId, state]));
  const wanted = new Set<ChunkId>();
  for (const { snapshotId, refs } of world.committed) {
    expect(states.has(snapshotId), `snapshot ${snapshotId} is listed`).toBe(true);
    if (states.get(snapshotId) !== 'gone') for (const id of refs) wanted.add(id);
  }
  for (const { chunkId, status, bytes } of await readBlobs(world.vault, world.device, [...wanted])) {
    expect([chunkId, status, world.isSealing(chunkId, bytes)]).toEqual([chunkId, 'found', true]);
  }
}

/** Reads while everything else goes on: what a snapshot that is kept needs is found at any time. */
async function readOne(world: World): Promise<void> {
  const newest = world.committed.at(-1);
  if (newest === undefined) return;
  for (const { status } of await readBlobs(world.vault, world.device, newest.refs)) {
    expect(status).toBe('found');
  }
}

/**
 * Two agents, a collection, deletions, time: a few of them at once in each step, by the seed. After each step every
 * snapshot has to be whole and `verify` clean.
 */
export async function expectRacesSurvived(seed: number, steps: number): Promise<RaceCounts> {
  const random = new SeededRandom(seed);
  const opened = await openSampleVaults();
  try {
    const { vault, device } = await addSampleTenant(opened);
    const world = new World(opened, vault, device, random);
    const agents = [new Agent(world), new Agent(world)];
    for (let step = 0; step < steps; step++) {
      const tasks: Promise<void>[] = [];
      for (const agent of agents) if (random.chance(0.8)) tasks.push(agent.act());
      if (random.chance(0.4)) tasks.push(collect(world));
      if (random.chance(0.5)) tasks.push(deleteOne(world));
      if (random.chance(0.4)) tasks.push(dropExpired(world));
      if (random.chance(0.3)) tasks.push(readOne(world));
      const outcomes = await Promise.allSettled(tasks);
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
      await expectSnapshotsWhole(world);
      expect(await verifyAll(vault), `after step ${step}`).toEqual([]);
      if (random.chance(0.5))
        opened.passHours(random.chance(0.6) ? random.pick(SHORT_HOURS) : random.pick(LONG_HOURS));
    }
    return world.counts;
  } finally {
    await opened.remove();
  }
}
