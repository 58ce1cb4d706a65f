import type { DeviceId, TenantId } from '@cofre/shared/ids';

/** Who asks, as the credential says. It is the `Caller` that a vault takes, and all that routes know of a device. */
export interface AuthenticatedDevice {
  readonly deviceId: DeviceId;
  readonly deviceName: string;
  readonly tenantId: TenantId;
  readonly tenantName: string;
  readonly tenantModules: number;
  /** Restores go on, backups do not. */
  readonly isTenantSuspended: boolean;
  /** Ed25519 public key, hexadecimal. */
  readonly signingKey: string;
  /** A read grant is in force: the whole tenant may be read, not only what this device brought. */
  readonly readsTenant: boolean;
}
