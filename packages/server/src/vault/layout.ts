import { join } from 'node:path';
import type { TenantId } from '@cofre/shared/ids';

/** What is kept in the store as numbered, immutable objects, each kind with its own ending. */
export const OBJECT_KINDS = [
  'authority',
  'description',
  'domain',
  'keyring',
  'manifest',
  'receipt',
  'roster',
  'rule',
  'tombstone',
] as const;
export type StoredKind = (typeof OBJECT_KINDS)[number];

/** Path of a pack below its vault's folder: a hundred folders, so that none grows without bound soon. */
export function packPath(number: number): string {
  return `packs/${String(number % 100).padStart(2, '0')}/${number}.pack`;
}

/** Path of an object below its vault's folder. */
export function objectPath(number: number, kind: StoredKind): string {
  return `objects/${number}.${kind}`;
}

/** Whether this is the path of a pack or object, as we write them: whatever is unlinked by its row has to be one. */
export function isStoredPath(path: unknown): boolean {
  if (typeof path !== 'string') return false;
  const number = numberOfFile(path.slice(path.lastIndexOf('/') + 1));
  return path === packPath(number) || OBJECT_KINDS.some((kind) => path === objectPath(number, kind));
}

/** The number of a pack or object by the name of its file; 0 for a name that is none of ours. */
export function numberOfFile(name: string): number {
  return Number(/^[1-9]\d{0,14}(?=\.)/.exec(name)?.[0] ?? 0);
}

/**
 * Where one vault keeps what.
 *
 *     DATA/vaults/<tenant>.db               index: everything that is asked often; can be rebuilt from the store
 *     STORE/<tenant>/packs/<nn>/<n>.pack    sealed content; n is given by the server and never used twice
 *     STORE/<tenant>/objects/<n>.<kind>     manifests, receipts, keys, rosters, in the order of their numbers
 *     STORE/<tenant>/incoming/              what is still being written, on the same file system
 */
export class VaultLayout {
  readonly database: string;
  readonly folder: string;
  readonly incoming: string;
  readonly objects: string;
  readonly packs: string;

  constructor(dataFolder: string, storeFolder: string, tenantId: TenantId) {
    this.database = join(databasesFolder(dataFolder), `${tenantId}.db`);
    this.folder = join(storeFolder, tenantId);
    this.incoming = join(this.folder, 'incoming');
    this.objects = join(this.folder, 'objects');
    this.packs = join(this.folder, 'packs');
  }

  /** The file of a path below the vault's folder, as rows have it. */
  file(path: string): string {
    return join(this.folder, path);
  }
}

/** The folder of all tenants' databases. */
export function databasesFolder(dataFolder: string): string {
  return join(dataFolder, 'vaults');
}
