import type { ChunkId, DeviceId, SetId, SnapshotId, TenantId } from '@cofre/shared/ids';
import type { Vault } from '@cofre/server/vault/vault';
import { addSampleDevice } from '../../builders/sample-vault.ts';
import type { SeededRandom } from '../../builders/seeded-random.ts';
import { sampleBlob, type SampleBlob, type SampleDevice } from '../../builders/vault-samples.ts';
import type { Appliance } from './appliance.ts';

/** Pieces of content that the agents of a tenant have: few enough that they meet all the time. */
const POOL_BLOBS = 16;
/** Less than all pieces take, so that the quota is met now and then. */
const QUOTA_BYTES = 120_000;

/** A snapshot that was acknowledged, and what is known about it. */
export interface Acknowledged {
  readonly snapshotId: SnapshotId;
  readonly device: SampleDevice;
  readonly setId: SetId;
  readonly sequence: number;
  readonly isComplete: boolean;
  readonly refs: readonly ChunkId[];
  readonly requires: readonly SnapshotId[];
  /** As it was last listed. */
  state: 'kept' | 'deleted' | 'gone';
  lockedUntilMs: number;
  contentUntilMs: number | null;
  /** Somebody or a rule may have deleted it since it was last listed. */
  mayBeDeleted: boolean;
}

/** What one tenant was promised, and what was done to its disk. */
export class TenantModel {
  readonly tenantId: TenantId;
  readonly quotaBytes = QUOTA_BYTES;
  readonly devices: readonly SampleDevice[];
  readonly snapshots = new Map<SnapshotId, Acknowledged>();
  /** Snapshots whose commit was not answered: they may be there. */
  readonly unanswered = new Set<SnapshotId>();
  /** Pieces whose bytes on disk were altered, and that no scrub has looked at since. */
  readonly rotten = new Set<ChunkId>();
  /** Whether an object was altered on disk, and no scrub has mended it since. */
  rottenObjects = false;
  readonly #pools: ReadonlyMap<string, readonly ChunkId[]>;
  readonly #sealings = new Map<ChunkId, SampleBlob[]>();
  readonly #appliance: Appliance;

  private constructor(appliance: Appliance, tenantId: TenantId, devices: readonly SampleDevice[]) {
    this.#appliance = appliance;
    this.tenantId = tenantId;
    this.devices = devices;
    this.#pools = new Map(
      devices.map((device) => [
        device.domainId,
        Array.from({ length: POOL_BLOBS }, () => sampleBlob(device).chunkId),
      ]),
    );
  }

  /** A tenant with two devices, each with a domain of its own. */
  static async make(appliance: Appliance, tenantId: TenantId): Promise<TenantModel> {
    await appliance.vaults.create(tenantId, 'A tenant');
    await appliance.vaults.setQuota(tenantId, QUOTA_BYTES);
    const vault = await appliance.vaults.open(tenantId);
    return new TenantModel(appliance, tenantId, [await addSampleDevice(vault), await addSampleDevice(vault)]);
  }

  vault(): Promise<Vault> {
    return this.#appliance.vaults.open(this.tenantId);
  }

  poolOf({ domainId }: SampleDevice): readonly ChunkId[] {
    return this.#pools.get(domainId) ?? [];
  }

  /** A piece as some agent seals it now: perhaps anew, to other bytes. */
  seal(device: SampleDevice, chunkId: ChunkId, random: SeededRandom): SampleBlob {
    const known = this.#sealings.get(chunkId) ?? [];
    if (known.length > 0 && random.chance(0.7)) return random.pick(known);
    return this.remember(sampleBlob(device, { chunkId, sealedLength: random.between(200, 16_000) }));
  }

  remember(blob: SampleBlob): SampleBlob {
    this.#sealings.set(blob.chunkId, [...(this.#sealings.get(blob.chunkId) ?? []), blob]);
    return blob;
  }

  /** The same bytes as the first time: the node of a catalog must not change. */
  sealedBefore(chunkId: ChunkId): SampleBlob {
    const [blob] = this.#sealings.get(chunkId) ?? [];
    if (blob === undefined) throw new Error('nobody has sealed this piece');
    return blob;
  }

  isSealing(chunkId: ChunkId, bytes: Buffer): boolean {
    return (this.#sealings.get(chunkId) ?? []).some((blob) => blob.bytes.equals(bytes));
  }

  acknowledge(acknowledged: Acknowledged): void {
    this.unanswered.delete(acknowledged.snapshotId);
    if (!this.snapshots.has(acknowledged.snapshotId))
      this.snapshots.set(acknowledged.snapshotId, acknowledged);
  }

  keptSnapshots(): Acknowledged[] {
    return [...this.snapshots.values()].filter(({ state }) => state !== 'gone');
  }

  /** Newest complete snapshot of each set that is kept: no rule may let go of it. */
  newestComplete(): Acknowledged[] {
    const newest = new Map<string, Acknowledged>();
    for (const snapshot of this.snapshots.values()) {
      if (!snapshot.isComplete || snapshot.state !== 'kept') continue;
      const key = setKey(snapshot.device.deviceId, snapshot.setId);
      if ((newest.get(key)?.sequence ?? 0) < snapshot.sequence) newest.set(key, snapshot);
    }
    return [...newest.values()];
  }
}

function setKey(deviceId: DeviceId, setId: SetId): string {
  return `${deviceId}/${setId}`;
}
