import { join } from 'node:path';
import { namesIn } from '../platform/names-in.ts';
import { numberOfFile, packPath } from './layout.ts';
import type { VaultContext } from './vault-context.ts';

/**
 * A file in the store whose number the index has not given yet, or null. A number is taken durably before its file is
 * made, so that such a file proves that the index has forgotten something.
 */
export async function findFileAhead(vault: VaultContext): Promise<string | null> {
  const { layout } = vault;
  const row = await vault.index.call('describeVault', undefined);
  if (row === null) return null;
  for (const folder of await namesIn(layout.packs)) {
    for (const name of await namesIn(join(layout.packs, folder))) {
      const number = numberOfFile(name);
      if (number >= row.nextPack && packPath(number) === `packs/${folder}/${name}`) return packPath(number);
    }
  }
  const name = (await namesIn(layout.objects)).find((file) => numberOfFile(file) >= row.nextObject);
  return name === undefined ? null : `objects/${name}`;
}
