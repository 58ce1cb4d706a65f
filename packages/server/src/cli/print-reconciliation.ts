import type { Reconciliation } from '../tenancy/reconcile-directory.ts';
import { printLine, safeName, type Output } from './output.ts';

/** Says what became of the directory when it was compared with the vaults. */
export function printReconciliation(output: Output, directory: Reconciliation): void {
  for (const { tenantId, name } of directory.added) {
    printLine(output, `${tenantId}  ${safeName(name)}: added to the list of tenants`);
  }
  for (const { tenantId, name } of directory.adopted) {
    printLine(
      output,
      `${tenantId}  ${safeName(name)}: has its quota, and whether it is to be deleted, from the store`,
    );
  }
  for (const { tenantId, name } of directory.withoutVault) {
    printLine(output, `${tenantId}  ${safeName(name)}: is listed, and the store does not have it`);
  }
  for (const { tenantId, deviceId } of directory.revoked) {
    printLine(output, `${tenantId}  computer ${deviceId}: is revoked again`);
  }
  for (const { tenantId, deviceId } of directory.unknownDevices) {
    printLine(
      output,
      `${tenantId}  computer ${deviceId}: is not known any more; enrol it again with the kit`,
    );
  }
}
