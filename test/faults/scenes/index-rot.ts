import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { verifyVaults } from '@cofre/server/administration/each-vault';
import type { Vault } from '@cofre/server/vault/vault';
import type { TenantId } from '@cofre/shared/ids';
import { expect } from 'vitest';
import {
  addSampleTenant,
  openSampleVaults,
  readBlobs,
  SampleRun,
  type OpenedVaults,
} from '../../builders/sample-vault.ts';
import { sampleBlob, type SampleBlob, type SampleDevice } from '../../builders/vault-samples.ts';

interface FilledVault {
  readonly tenantId: TenantId;
  readonly device: SampleDevice;
  readonly blobs: readonly SampleBlob[];
}

/** Two tenants whose indexes one thread has; the index of the first one is going to rot. */
export class RottenIndex {
  readonly pageCount: number;
  private opened: OpenedVaults;
  private readonly rotten: FilledVault;
  private readonly sound: FilledVault;
  private readonly file: string;
  private readonly whole: Buffer;
  private readonly pageBytes: number;

  private constructor(opened: OpenedVaults, rotten: FilledVault, sound: FilledVault) {
    this.opened = opened;
    this.rotten = rotten;
    this.sound = sound;
    this.file = opened.databaseOf(rotten.tenantId);
    this.whole = readFileSync(this.file);
    this.pageBytes = this.whole.readUInt16BE(16);
    this.pageCount = this.whole.length / this.pageBytes;
  }

  static async make(): Promise<RottenIndex> {
    const opened = await openSampleVaults({ threadCount: 1 });
    const rotten = await fillVault(opened);
    const sound = await fillVault(opened);
    await opened.vaults.close();
    // Who closes a database last writes its log into it: what is on the disk is all of it.
    expect(existsSync(`${opened.databaseOf(rotten.tenantId)}-wal`)).toBe(false);
    return new RottenIndex(opened, rotten, sound);
  }

  /**
   * Flips a bit, starts the server, and checks that the other tenant notices nothing and that nothing is fatal.
   * @returns the codes that a verification of all tenants has for the rotten one
   */
  async checkFlip(page: number, offset: number): Promise<string[]> {
    const bytes = Buffer.from(this.whole);
    const place = page * this.pageBytes + offset;
    bytes[place] = (bytes[place] as number) ^ 1;
    for (const ending of ['-wal', '-shm']) rmSync(`${this.file}${ending}`, { force: true });
    writeFileSync(this.file, bytes);
    this.opened = await openSampleVaults({ threadCount: 1 }, this.opened.folder);
    try {
      const codes = await this.verify();
      const vault = await this.opened.vaults.open(this.sound.tenantId);
      await expectReadable(vault, this.sound);
      const run = await SampleRun.open(vault, this.sound.device);
      expect(await run.send([sampleBlob(this.sound.device)])).toMatchObject({ blobs: 1 });
      expect(this.opened.failures).toEqual([]);
      return codes;
    } finally {
      await this.opened.vaults.close();
    }
  }

  /** Whether everything of the rotten tenant comes back byte for byte: for a bit that nobody noticed. */
  async readsWhole(): Promise<boolean> {
    this.opened = await openSampleVaults({ threadCount: 1 }, this.opened.folder);
    try {
      await expectReadable(await this.opened.vaults.open(this.rotten.tenantId), this.rotten);
      return true;
    } finally {
      await this.opened.vaults.close();
    }
  }

  remove(): void {
    expect(statSync(this.file).size).toBeGreaterThan(0);
    rmSync(this.opened.folder, { recursive: true });
  }

  private async verify(): Promise<string[]> {
    const tenants = [this.rotten, this.sound].map(({ tenantId }) => ({
      id: tenantId,
      name: '',
      modules: 1,
      createdMs: 0,
      suspendedMs: null,
    }));
    const run = { onProgress: () => undefined, signal: new AbortController().signal };
    const { findings, tenants: count } = await verifyVaults(this.opened.vaults, tenants, run);
    expect(count).toBe(2);
    expect(findings.filter(({ tenantId }) => tenantId === this.sound.tenantId)).toEqual([]);
    return findings.map(({ code }) => code);
  }
}

async function fillVault(opened: OpenedVaults): Promise<FilledVault> {
  const { vault, device } = await addSampleTenant(opened);
  const blobs = Array.from({ length: 40 }, () => sampleBlob(device));
  await (await SampleRun.open(vault, device)).backUp(blobs);
  return { tenantId: vault.tenantId, device, blobs };
}

async function expectReadable(vault: Vault, { device, blobs }: FilledVault): Promise<void> {
  const read = await readBlobs(
    vault,
    device,
    blobs.map(({ chunkId }) => chunkId),
  );
  for (const [place, { bytes }] of blobs.entries()) {
    expect([place, read[place]?.bytes.equals(bytes)]).toEqual([place, true]);
  }
}
