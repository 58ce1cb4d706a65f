import { readFile, stat } from 'node:fs/promises';
import { CofreError } from '@cofre/shared/errors';
import type { TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { VerifyFinding } from '@cofre/shared/wire/administration';
import { removeDatabase, replaceDatabase } from '../../platform/database-file.ts';
import type { IndexConnection } from '../index/connection.ts';
import { finishCounts } from '../index/rebuild-chains.store.ts';
import {
  closeRebuildIndex,
  deviceOfKeyPeriod,
  findDomainRow,
  insertDomain,
  insertFoundPack,
  insertVault,
  inTransaction,
  openRebuildIndex,
  setFrozen,
  setNextNumbers,
  type FoundBlob,
} from '../index/rebuild.store.ts';
import { objectPath, packPath, type VaultLayout } from '../layout.ts';
import { ObjectIntake, type StoredObject } from './object-intake.ts';
import { listStoreFiles, type StoreFiles } from './store-files.ts';
import { readStorePack, type PackBlob } from './store-pack.ts';
import { rebuildChains } from './chain-rebuilder.ts';

export interface RebuildOptions {
  readonly tenantId: TenantId;
  readonly layout: VaultLayout;
  readonly nowMs: number;
  /** Compares the bytes of content with their hashes too, not only those of catalogs. */
  readonly readsAll: boolean;
  readonly onBytes: (bytes: number) => void;
  /** Called between the steps, for tests that end the process there. */
  readonly crashPoint: (name: string) => void;
}

export interface RebuiltVault {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly quotaBytes: number;
  readonly createdMs: number;
  readonly newestReceivedMs: number | null;
  readonly packs: number;
  /** Length of the packs and objects. */
  readonly storeBytes: number;
  readonly snapshots: number;
  /** The old index was kept under this name. */
  readonly keptAs: string | null;
  /** While there are any, the vault stays frozen. */
  readonly findings: readonly VerifyFinding[];
}

/** Object and pack files that one transaction makes rows of. */
const OBJECTS_A_STEP = 200;
const PACKS_A_STEP = 32;
/**
 * Numbers that are left out behind the highest one in the store: files that had some of them may have been given up, and
 * a number is never used twice.
 */
const NUMBERS_LEFT_OUT = 1000;

const UNFINISHED = 'is being made anew from the store, and was not finished';

/**
 * Makes the index of a stopped vault anew from its files in the store alone, beside the old one, and replaces it when
 * it is whole. It can be ended at any time and run again.
 */
export async function rebuildVault(options: RebuildOptions): Promise<RebuiltVault> {
  const { crashPoint } = options;
  const current = options.layout.database;
  const next = `${current}.rebuilding`;
  // What an interrupted rebuild left.
  await removeDatabase(next);
  const index = openRebuildIndex(next);
  const rebuilder = new VaultRebuilder(index, options);
  let rebuilt;
  try {
    rebuilt = await rebuilder.run();
  } finally {
    closeRebuildIndex(index);
  }
  crashPoint('rebuild-made');
  const keptAs = await replaceDatabase({ current, next, reason: 'rebuild', crashPoint });
  return { ...rebuilt, keptAs };
}

class VaultRebuilder {
  private readonly index: IndexConnection;
  private readonly options: RebuildOptions;
  private readonly intake: ObjectIntake;
  private readonly findings: VerifyFinding[] = [];
  private readonly periods = new Map<string, string | null>();
  private readonly domains = new Map<string, number>();
  private readonly unkeyed = new Set<string>();
  private packs = 0;
  private storeBytes = 0;

  constructor(index: IndexConnection, options: RebuildOptions) {
    this.index = index;
    this.options = options;
    this.intake = new ObjectIntake(index);
  }

  async run(): Promise<Omit<RebuiltVault, 'keptAs'>> {
    const { tenantId, nowMs, layout, crashPoint } = this.options;
    insertVault(this.index, { tenantId, createdMs: nowMs, frozenReason: UNFINISHED });
    const files = await listStoreFiles(layout);
    for (const path of files.unknown) this.find('file_unknown', `${path} belongs to nothing`);
    await this.takeObjects(files);
    crashPoint('rebuild-objects');
    await this.takePacks(files);
    crashPoint('rebuild-packs');
    const snapshots = rebuildChains({
      index: this.index,
      found: this.intake,
      nowMs,
      find: (code, detail, affected) => this.find(code, detail, affected),
    });
    crashPoint('rebuild-chains');
    return this.finish(files, snapshots);
  }

  private finish(files: StoreFiles, snapshots: number): Omit<RebuiltVault, 'keptAs'> {
    const { tenantId, nowMs } = this.options;
    const { description, firstDescribedMs, receipts } = this.intake;
    if (description === null) this.find('description_missing', 'nothing says name and quota of the tenant');
    const count = this.findings.length;
    const reason = `was made anew from the store, which has ${count} things that do not agree`;
    inTransaction(this.index, () => {
      finishCounts(this.index);
      setNextNumbers(this.index, {
        nextPack: files.lastPack + 1 + NUMBERS_LEFT_OUT,
        nextObject: files.lastObject + 1 + NUMBERS_LEFT_OUT,
      });
      setFrozen(this.index, { reason: count === 0 ? null : reason });
    });
    const newestReceivedMs = [...receipts.values()].reduce<number | null>(
      (newest, { receivedMs }) => Math.max(newest ?? receivedMs, receivedMs),
      null,
    );
    return {
      tenantId,
      name: description?.name ?? '',
      quotaBytes: description?.quotaBytes ?? 0,
      createdMs: firstDescribedMs ?? nowMs,
      newestReceivedMs,
      packs: this.packs,
      storeBytes: this.storeBytes,
      snapshots,
      findings: this.findings,
    };
  }

  private async takeObjects({ objects }: StoreFiles): Promise<void> {
    for (let start = 0; start < objects.length; start += OBJECTS_A_STEP) {
      const step: StoredObject[] = [];
      for (const { number, kind } of objects.slice(start, start + OBJECTS_A_STEP)) {
        const bytes = await this.readObject(objectPath(number, kind));
        if (bytes !== null) step.push({ number, kind, bytes });
      }
      inTransaction(this.index, () => {
        for (const object of step) this.takeObject(object);
      });
    }
  }

  private async readObject(path: string): Promise<Buffer | null> {
    const file = this.options.layout.file(path);
    const { size } = await stat(file);
    if (size > LIMITS.objectBytesMax * 2) {
      this.find('object_damaged', `${path} is ${size} bytes long`);
      return null;
    }
    const bytes = await readFile(file);
    this.options.onBytes(bytes.length);
    this.storeBytes += bytes.length;
    return bytes;
  }

  private takeObject(object: StoredObject): void {
    const path = objectPath(object.number, object.kind);
    try {
      const isTaken = this.intake.take(object);
      if (!isTaken) this.find('object_twice', `${path} says what an earlier one has said`);
    } catch (error) {
      if (!(error instanceof CofreError)) throw error;
      this.find('object_damaged', `${path}: ${error.message}`);
    }
  }

  /** From the newest to the oldest: the newest copy of a piece is the one that counts. */
  private async takePacks({ packs }: StoreFiles): Promise<void> {
    const numbers = packs.toReversed();
    for (let start = 0; start < numbers.length; start += PACKS_A_STEP) {
      const step: (() => void)[] = [];
      for (const number of numbers.slice(start, start + PACKS_A_STEP)) {
        const insert = await this.readPack(number);
        if (insert !== null) step.push(insert);
      }
      inTransaction(this.index, () => {
        for (const insert of step) insert();
      });
    }
  }

  private async readPack(number: number): Promise<(() => void) | null> {
    const path = packPath(number);
    try {
      const content = await readStorePack(this.options.layout.file(path), this.options);
      for (const { chunkId } of content.damaged) {
        this.find('chunk_unreadable', `${path}: the bytes of chunk ${chunkId} are altered`);
      }
      return () => {
        this.packs += 1;
        this.storeBytes += content.length;
        const { deviceId, found } = this.placeBlobs(content.found);
        insertFoundPack(this.index, {
          number,
          kind: content.kind,
          length: content.length,
          hash: content.hash,
          blobs: content.blobs,
          deviceId,
          receivedMs: Math.min(content.modifiedMs, this.options.nowMs),
          found,
          damagedBytes: content.damaged.reduce((sum, { length }) => sum + length, 0),
        });
      };
    } catch (error) {
      if (!(error instanceof CofreError) || (error.code !== 'damaged' && error.code !== 'unknown_format'))
        throw error;
      this.find('pack_damaged', `${path}: ${error.message}`);
      return null;
    }
  }

  /** Whose blobs they are: by their domain, and the first of them by its key period. */
  private placeBlobs(blobs: readonly PackBlob[]): { deviceId: string; found: FoundBlob[] } {
    let deviceId: string | null = null;
    const found = blobs.map(({ header, offset, length, type, table }) => {
      const owner = this.ownerOf(header.keyPeriodId);
      deviceId ??= owner;
      const domain = this.domainOf(header.domainId, owner);
      return { domain, chunkId: Buffer.from(header.chunkId, 'hex'), offset, length, type, table };
    });
    return { deviceId: deviceId ?? 'unknown', found };
  }

  private ownerOf(keyPeriodId: string): string | null {
    const known = this.periods.get(keyPeriodId);
    if (known !== undefined) return known;
    const owner = deviceOfKeyPeriod(this.index, keyPeriodId);
    this.periods.set(keyPeriodId, owner);
    if (owner === null && !this.unkeyed.has(keyPeriodId)) {
      this.unkeyed.add(keyPeriodId);
      this.find('keyring_missing', `the keyring object of key period ${keyPeriodId} is not there`);
    }
    return owner;
  }

  private domainOf(domainId: string, owner: string | null): number {
    const known = this.domains.get(domainId) ?? findDomainRow(this.index, domainId)?.domain;
    if (known !== undefined) {
      this.domains.set(domainId, known);
      return known;
    }
    this.find('domain_missing', `the record of domain ${domainId} is not there`);
    const domain = insertDomain(this.index, { domainId, deviceId: owner ?? 'unknown' });
    this.domains.set(domainId, domain);
    return domain;
  }

  private find(code: string, detail: string, affectedSnapshots: readonly string[] = []): void {
    this.findings.push({
      tenantId: this.options.tenantId,
      code,
      detail,
      affectedSnapshots: [...affectedSnapshots],
    });
  }
}
