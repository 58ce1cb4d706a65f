import type { DeviceId } from '@cofre/shared/ids';
import type { Clock } from '../clock.ts';

/**
 * Which devices may read their whole tenant, and until when. Kept in memory only: after a restart a device shows its
 * grant again. What is in here was verified by the vault.
 */
export class ReadGrants {
  readonly #clock: Clock;
  readonly #expiresMs = new Map<DeviceId, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The later end counts: showing an old grant takes nothing away. */
  add(deviceId: DeviceId, expiresMs: number): void {
    this.#expiresMs.set(deviceId, Math.max(expiresMs, this.#expiresMs.get(deviceId) ?? 0));
  }

  has(deviceId: DeviceId): boolean {
    const expiresMs = this.#expiresMs.get(deviceId);
    if (expiresMs === undefined) return false;
    if (expiresMs > this.#clock()) return true;
    this.#expiresMs.delete(deviceId);
    return false;
  }
}
