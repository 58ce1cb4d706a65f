import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodePackTail,
  PACK_END_BYTES,
  PACK_HEADER_BYTES,
  packTailLengthFromEnd,
  type PackKind,
} from '@cofre/shared/format/envelope/pack';
import type { Account, Installation } from './installation.ts';

/** A blob in a pack on a server's disk. */
export interface StoredBlob {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** All packs of an account on the server's disk, by their paths. */
export function packFiles({ store }: Installation, { tenantId }: Account): string[] {
  const folder = join(store, tenantId, 'packs');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pack'))
    .map((name) => join(folder, name))
    .sort();
}

/** Every blob of an account in packs of a kind. */
export function storedBlobs(installation: Installation, account: Account, kind: PackKind): StoredBlob[] {
  return packFiles(installation, account).flatMap((file) => {
    const pack = readFileSync(file);
    const tail = decodePackTail(pack.subarray(-packTailLengthFromEnd(pack.subarray(-PACK_END_BYTES))));
    if (tail.kind !== kind) return [];
    let offset = PACK_HEADER_BYTES;
    return tail.entries.map(({ length }) => {
      const blob = { file, offset, length };
      offset += length;
      return blob;
    });
  });
}
