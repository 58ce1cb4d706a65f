import { dirname } from 'node:path';
import type { TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { CofreError } from '@cofre/shared/errors';
import { NameTaken, removeFile, syncFolder, type DurableFolders } from '../platform/durable-files.ts';
import { isThere } from '../platform/is-there.ts';
import { Semaphore } from '../platform/semaphore.ts';
import { StorageFailure } from '../platform/storage-failure.ts';
import type { CallGate } from './call-gate.ts';
import type { VaultIndex } from './index/database-pool.ts';
import type { VaultLayout } from './layout.ts';
import type { PackFiles } from './read/pack-files.ts';
import type { ReaderShare } from './read/reader-share.ts';
import type { StoreSpace } from './store-space.ts';

/** What all vaults of a process share. */
export interface SharedParts {
  readonly folders: DurableFolders;
  readonly space: StoreSpace;
  readonly uploads: Semaphore;
  readonly packFiles: PackFiles;
  readonly readers: ReaderShare;
  readonly gate: CallGate;
  nowMs(): number;
  /** Called at named points between the steps of a write; tests end the process there. */
  crashPoint(name: string): void;
}

/** What the parts of one vault work with: its index, its files, and how they are given up. */
export class VaultContext {
  readonly tenantId: TenantId;
  readonly index: VaultIndex;
  readonly layout: VaultLayout;
  readonly folders: DurableFolders;
  readonly packFiles: PackFiles;
  readonly readers: ReaderShare;
  readonly gate: CallGate;
  private readonly shared: SharedParts;
  /** Collection, repacking, retention and scrub of a vault take turns. */
  readonly maintenance = new Semaphore(1);
  private readonly uploads = new Semaphore(LIMITS.uploadsPerTenantMax);
  /** Files that could not be given up when they should have been, such as on a full disk. */
  private leftovers: string[] = [];
  /** Why nothing may be written to the store, and what the provider can do about it; null while it may. */
  private writeProblem: { readonly problem: string; readonly command: string } | null = null;

  constructor(tenantId: TenantId, index: VaultIndex, layout: VaultLayout, shared: SharedParts) {
    this.tenantId = tenantId;
    this.index = index;
    this.layout = layout;
    this.folders = shared.folders;
    this.packFiles = shared.packFiles;
    this.readers = shared.readers;
    this.gate = shared.gate;
    this.shared = shared;
  }

  nowMs(): number {
    return this.shared.nowMs();
  }

  crashPoint(name: string): void {
    this.shared.crashPoint(name);
  }

  /** Runs an upload when this tenant, the server and the store have room for it. */
  async runUpload<Result>(lengthBytes: number, upload: () => Promise<Result>): Promise<Result> {
    return this.uploads.run(() =>
      this.shared.uploads.run(() =>
        this.runWithSpace(lengthBytes, async () => {
          await this.discardLeftovers();
          return upload();
        }),
      ),
    );
  }

  /**
   * Runs a write of some bytes while it leaves the store's headroom, or the smaller one that it names.
   * @throws CofreError `storage_full`, and as {@link requireWritable}
   */
  async runWithSpace<Result>(
    lengthBytes: number,
    write: () => Promise<Result>,
    headroomBytes?: number,
  ): Promise<Result> {
    this.requireWritable();
    return this.shared.space.run(lengthBytes, write, headroomBytes);
  }

  /** The index does not agree with the store: from now on nothing is written to it, and nothing removed. */
  refuseWrites(problem: string, command = `cofre-server rebuild ${this.tenantId}`): void {
    this.writeProblem ??= { problem, command };
  }

  /** @throws CofreError `index_unusable` after {@link refuseWrites} */
  requireWritable(): void {
    if (this.writeProblem === null) return;
    throw new CofreError('index_unusable', { tenant: this.tenantId, ...this.writeProblem });
  }

  /**
   * Cleans up after a write that failed: temporary files, then whatever has its final name already, then intents.
   * It never throws: what can't be cleaned now is tried again before the next upload, and swept at the next start.
   */
  async abandon(error: unknown, paths: readonly string[], temporaries: readonly string[]): Promise<void> {
    // After a storage failure nothing may be promised any more, not even that something is gone.
    if (error instanceof StorageFailure || this.gate.hasFailed) return;
    const ours = error instanceof NameTaken ? paths.slice(0, error.linkedCount) : paths;
    const [taken] = paths.slice(ours.length);
    if (taken !== undefined) this.refuseWrites(`does not know ${taken}, which the store has`);
    try {
      // What lies under the other names was not written here: without an intent no sweep will touch it.
      const others = paths.slice(ours.length);
      if (others.length > 0) await this.index.call('dropIntents', { paths: others });
      for (const temporary of temporaries) await removeFile(temporary);
      await this.discardFiles(ours);
    } catch (failure) {
      if (failure instanceof StorageFailure) this.gate.stop(failure);
      this.leftovers.push(...ours);
    }
  }

  /** Unlinks files that have a final name and no rows but an intent; the doomed row comes first. */
  async discardFiles(paths: readonly string[]): Promise<void> {
    const linked: string[] = [];
    for (const path of paths) if (await isThere(this.layout.file(path))) linked.push(path);
    const absent = paths.filter((path) => !linked.includes(path));
    if (absent.length > 0) await this.index.call('dropIntents', { paths: absent });
    if (linked.length === 0) return;
    await this.unlinkDoomed(await this.index.call('doomFiles', { paths: linked }));
  }

  /** Unlinks files that have a doomed row, and forgets the row when that is durable. */
  async unlinkDoomed(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    const folders = new Set<string>();
    for (const path of paths) {
      const file = this.layout.file(path);
      if (await removeFile(file)) folders.add(dirname(file));
    }
    // Without this a power loss could bring a file back whose doomed row is forgotten: nobody would ever remove it.
    for (const folder of folders) await syncFolder(folder);
    this.crashPoint('doomed-unlinked');
    await this.index.call('forgetDoomed', { paths });
  }

  private async discardLeftovers(): Promise<void> {
    if (this.leftovers.length === 0) return;
    const paths = this.leftovers;
    this.leftovers = [];
    try {
      await this.discardFiles(paths);
    } catch (error) {
      this.leftovers.push(...paths);
      throw error;
    }
  }
}
