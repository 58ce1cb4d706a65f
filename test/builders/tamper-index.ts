import { IndexConnection } from '@cofre/server/vault/index/connection';
import type { TenantId } from '@cofre/shared/ids';
import type { OpenedVaults } from './sample-vault.ts';

/** Changes the index of a tenant behind the server's back. Gives the vaults as they are opened again. */
export async function tamperIndex(
  opened: OpenedVaults,
  tenantId: TenantId,
  sql: string,
): Promise<OpenedVaults> {
  await opened.vaults.close();
  const { database } = new IndexConnection(opened.databaseOf(tenantId));
  database.pragma('foreign_keys = OFF');
  database.exec(sql);
  database.close();
  return opened.reopen();
}
