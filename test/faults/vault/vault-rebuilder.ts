// Makes the index of a vault anew and ends itself at a point on the way.
//
// node vault-rebuilder.ts FOLDER TENANT [CRASH_POINT]

import { join } from 'node:path';
import { holdStoppedStore, rebuildVaults } from '@cofre/server/vault/rebuild/rebuild-store';
import type { TenantId } from '@cofre/shared/ids';

const [folder = '', tenantId = '', crashAt] = process.argv.slice(2);

const store = await holdStoppedStore(join(folder, 'data'), join(folder, 'store'));
await rebuildVaults(store, {
  tenants: [tenantId as TenantId],
  readsAll: false,
  onBytes: () => undefined,
  crashPoint: (name) => {
    if (name === crashAt) process.kill(process.pid, 'SIGKILL');
  },
});
store.release();
