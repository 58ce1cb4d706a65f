import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openVaults, type VaultsOptions } from '@cofre/server/vault/open-vaults';
import type { CommitResult, Vault, Vaults } from '@cofre/server/vault/vault';
import type { CofreError } from '@cofre/shared/errors';
import { newRandomId, type ChunkId, type SessionId, type SetId, type TenantId } from '@cofre/shared/ids';
import { FRAME_HEADER_BYTES, decodeFrameHeader } from '@cofre/shared/wire/chunk-frames';
import type { VerifyFinding } from '@cofre/shared/wire/administration';
import type { PackStored } from '@cofre/shared/wire/sessions';
import {
  ascendingIds,
  incomingPack,
  sampleBlob,
  sampleDevice,
  sampleDomainObject,
  sampleKeyringObject,
  samplePack,
  sampleSnapshot,
  type SampleBlob,
  type SampleDevice,
  type SampleSnapshot,
} from './vault-samples.ts';

const GIB = 1024 * 1024 * 1024;

export interface OpenedVaults {
  readonly folder: string;
  readonly dataFolder: string;
  readonly storeFolder: string;
  readonly vaults: Vaults;
  /** A tenant's index, and a path of its folder in the store. */
  databaseOf(tenantId: TenantId): string;
  inStore(tenantId: TenantId, path: string): string;
  /** What was fatal so far. */
  readonly failures: CofreError[];
  /** Hours by which the service's clocks are ahead of the machine's. */
  passHours(hours: number): void;
  /** Closes the vaults and opens them again on the same folders. */
  reopen(options?: Partial<VaultsOptions>): Promise<OpenedVaults>;
  remove(): Promise<void>;
}

/** Vaults in a folder of their own, with clocks that can be put forward. */
export async function openSampleVaults(
  options: Partial<VaultsOptions> = {},
  folder = mkdtempSync(join(tmpdir(), 'cofre-vaults-')),
): Promise<OpenedVaults> {
  let aheadMs = 0;
  const failures: CofreError[] = [];
  const dataFolder = join(folder, 'data');
  const storeFolder = join(folder, 'store');
  const vaults = await openVaults({
    dataFolder,
    storeFolder,
    storeHeadroomBytes: 0,
    onFatal: (error) => void failures.push(error),
    clockSources: {
      wallMs: () => Date.now() + aheadMs,
      monotonicMs: () => performance.now() + aheadMs,
    },
    ...options,
  });
  return {
    folder,
    dataFolder,
    storeFolder,
    vaults,
    databaseOf: (tenantId) => join(dataFolder, 'vaults', `${tenantId}.db`),
    inStore: (tenantId, path) => join(storeFolder, tenantId, path),
    failures,
    passHours: (hours) => {
      aheadMs += hours * 3_600_000;
    },
    reopen: async (changed = {}) => {
      await vaults.close();
      return openSampleVaults({ ...options, ...changed }, folder);
    },
    remove: async () => {
      await vaults.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A new tenant with a quota, and its first device with domain and key period. */
export async function addSampleTenant(
  { vaults }: OpenedVaults,
  quotaBytes = GIB,
): Promise<{ vault: Vault; device: SampleDevice }> {
  const tenantId = newRandomId<TenantId>();
  await vaults.create(tenantId, 'A tenant');
  await vaults.setQuota(tenantId, quotaBytes);
  const vault = await vaults.open(tenantId);
  return { vault, device: await addSampleDevice(vault) };
}

export async function addSampleDevice(vault: Vault): Promise<SampleDevice> {
  const device = sampleDevice(vault.tenantId);
  await vault.storeObject(device.caller, 'domain', sampleDomainObject(device));
  await vault.storeObject(device.caller, 'keyring', sampleKeyringObject(device, device.keyPeriodId));
  return device;
}

/** A run of a device: what an agent does, without a network and without keys. */
export class SampleRun {
  readonly vault: Vault;
  readonly device: SampleDevice;
  readonly sessionId: SessionId;
  private parts = 0;

  private constructor(vault: Vault, device: SampleDevice, sessionId: SessionId) {
    this.vault = vault;
    this.device = device;
    this.sessionId = sessionId;
  }

  static async open(vault: Vault, device: SampleDevice, setId: SetId = device.setId): Promise<SampleRun> {
    const { domainId } = device;
    const operationId = newRandomId();
    const session = await vault.openSession(device.caller, { operationId, domainId, setId });
    return new SampleRun(vault, { ...device, setId }, session.sessionId as SessionId);
  }

  /** The same session, asked of a vault that was opened again. */
  onVault(vault: Vault): SampleRun {
    const run = new SampleRun(vault, this.device, this.sessionId);
    run.parts = this.parts;
    return run;
  }

  send(blobs: readonly SampleBlob[], kind: 'content' | 'catalog' = 'content'): Promise<PackStored> {
    return this.sendBytes(samplePack(blobs, kind));
  }

  sendBytes(pack: Buffer, operationId?: string, pieceBytes?: number): Promise<PackStored> {
    const incoming = incomingPack(pack, operationId, pieceBytes);
    return this.vault.receivePack(this.device.caller, this.sessionId, incoming);
  }

  async stage(mode: 'add' | 'remove', ids: Iterable<ChunkId>): Promise<void> {
    const refs = { part: this.parts++, mode, ids: ascendingIds(ids) };
    await this.vault.stageRefs(this.device.caller, this.sessionId, refs);
  }

  commit(snapshot: SampleSnapshot, refs: 'full' | 'delta' = 'full'): Promise<CommitResult> {
    return this.vault.commit(this.device.caller, this.sessionId, snapshot.object, refs);
  }

  async have(ids: readonly ChunkId[]): Promise<number[]> {
    const packed = Buffer.from(ids.join(''), 'hex');
    return [...(await this.vault.have(this.device.caller, this.sessionId, packed))];
  }

  /** Sends blobs and a catalog over them, and commits all of it as the set's next snapshot. */
  async backUp(blobs: readonly SampleBlob[], previous: SampleSnapshot | null = null) {
    const ids = blobs.map(({ chunkId }) => chunkId);
    const root = sampleBlob(this.device, { type: 'catalog', table: ids });
    if (blobs.length > 0) await this.send(blobs);
    await this.send([root], 'catalog');
    const refs = [...ids, root.chunkId];
    await this.stage('add', refs);
    const snapshot = sampleSnapshot(this.device, refs, root.chunkId, previous);
    return { root, refs, snapshot, result: await this.commit(snapshot) };
  }
}

export interface ReadBlob {
  readonly chunkId: ChunkId;
  readonly status: string;
  readonly bytes: Buffer;
}

/** What a vault gives for these ids, taken out of its frames; fails when the end is missing. */
export async function readBlobs(
  vault: Vault,
  { caller, domainId }: Pick<SampleDevice, 'caller' | 'domainId'>,
  ids: readonly ChunkId[],
): Promise<ReadBlob[]> {
  const pieces: Buffer[] = [];
  for await (const piece of vault.readChunks(caller, domainId, ids)) pieces.push(Buffer.from(piece));
  const stream = Buffer.concat(pieces);
  const blobs: ReadBlob[] = [];
  for (let offset = 0; ;) {
    const { status, length, chunkId } = decodeFrameHeader(stream.subarray(offset));
    offset += FRAME_HEADER_BYTES;
    if (status === 'end') {
      if (length !== blobs.length || offset !== stream.length) throw new Error('the end frame is wrong');
      return blobs;
    }
    blobs.push({ chunkId, status, bytes: stream.subarray(offset, offset + length) });
    offset += length;
  }
}

export async function verifyAll(vault: Vault): Promise<VerifyFinding[]> {
  const findings: VerifyFinding[] = [];
  for await (const finding of vault.verify(() => undefined)) findings.push(finding);
  return findings;
}
