import { encodeReadGrant } from '@cofre/shared/format/envelope/read-grant';
import { encodeSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { LIMITS } from '@cofre/shared/limits';
import type { SigningKey } from '@cofre/shared/signature';
import type { ServerClient } from '../client/server-client.ts';
import type { DeviceIdentity } from '../state/agent-context.ts';

const NS_PER_MS = 1_000_000n;
/** Half of its life: a restore may take days, and no request may meet an expired grant. */
const RENEW_AFTER_MS = LIMITS.readGrantLifetimeMs / 2;

/** Keeps a read grant in force for as long as somebody asks for it. */
export class ReadGrantKeeper {
  readonly #client: ServerClient;
  readonly #identity: DeviceIdentity;
  readonly #authority: SigningKey;
  /** By the monotonic clock. */
  #sentMs: number | null = null;

  constructor(client: ServerClient, identity: DeviceIdentity, authority: SigningKey) {
    this.#client = client;
    this.#identity = identity;
    this.#authority = authority;
  }

  /** Sends a grant unless one is in force. It runs by the server's service time, whatever this clock says. */
  async ensure(): Promise<void> {
    const nowMs = performance.now();
    if (this.#sentMs !== null && nowMs - this.#sentMs < RENEW_AFTER_MS) return;
    const { tenantId, deviceId } = this.#identity;
    const { serviceTime } = await this.#client.status();
    const expiresMs = Date.parse(serviceTime) + LIMITS.readGrantLifetimeMs;
    const payload = encodeReadGrant({ tenantId, deviceId, expiresNs: BigInt(expiresMs) * NS_PER_MS });
    await this.#client.sendReadGrant(encodeSignedObject('readGrant', payload, this.#authority));
    this.#sentMs = nowMs;
  }
}
