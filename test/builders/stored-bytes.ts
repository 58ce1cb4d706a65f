import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TenantId } from '@cofre/shared/ids';

/** Names and lengths of a tenant's packs on the disk. */
export function storedPacks(storeFolder: string, tenantId: TenantId): Map<string, number> {
  const packs = new Map<string, number>();
  const folder = join(storeFolder, tenantId, 'packs');
  if (!existsSync(folder)) return packs;
  for (const inner of readdirSync(folder)) {
    for (const name of readdirSync(join(folder, inner))) {
      packs.set(`packs/${inner}/${name}`, statSync(join(folder, inner, name)).size);
    }
  }
  return packs;
}

/** Bytes of a tenant's packs on the disk. */
export function storedPackBytes(storeFolder: string, tenantId: TenantId): number {
  return [...storedPacks(storeFolder, tenantId).values()].reduce((sum, length) => sum + length, 0);
}
