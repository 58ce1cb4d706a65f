import { timingSafeEqual } from 'node:crypto';
import { CofreError } from '@cofre/shared/errors';
import { sha256 } from '@cofre/shared/hash';
import type { DeviceId } from '@cofre/shared/ids';
import { AUTHORIZATION_SCHEME } from '@cofre/shared/wire/enrolment';
import type { Clock } from '../clock.ts';
import type { CredentialStore } from '../db/appliance-stores.ts';
import type { CredentialRecord } from '../db/records.ts';
import type { AuthenticatedDevice } from './authenticated-device.ts';
import type { ReadGrants } from './read-grants.ts';

const AUTHORIZATION = new RegExp(`^${AUTHORIZATION_SCHEME} ([0-9a-f]{32})\\.([A-Za-z0-9_-]{43})$`);

/** How stale "last seen" may be: it is for people, and each note of it syncs the disk. */
const LAST_SEEN_STEP_MS = 5 * 60 * 1000;

/** Compared with when there is no such device, so that the answer takes as long. */
const NO_HASH = '0'.repeat(64);

/** Tells which device a request comes from, and so which tenant: from its credential alone. */
export class Authenticator {
  readonly #credentials: CredentialStore;
  readonly #grants: ReadGrants;
  readonly #clock: Clock;
  readonly #lastSeenMs = new Map<DeviceId, number>();

  constructor(credentials: CredentialStore, grants: ReadGrants, clock: Clock) {
    this.#credentials = credentials;
    this.#grants = grants;
    this.#clock = clock;
  }

  /**
   * @param authorization the header's value
   * @throws CofreError `unauthenticated`; `device_revoked`, to who holds the secret of a revoked device only
   */
  async authenticate(authorization: string | undefined): Promise<AuthenticatedDevice> {
    const match = AUTHORIZATION.exec(authorization ?? '');
    if (match === null) throw new CofreError('unauthenticated');
    const [, deviceId, secret] = match as unknown as [string, DeviceId, string];
    const credential = await this.#credentials.find(deviceId);
    const isGenuine = isHashOf(secret, credential?.credentialHash ?? NO_HASH);
    if (credential === null || !isGenuine) throw new CofreError('unauthenticated');
    if (credential.isRevoked) throw new CofreError('device_revoked');
    await this.#noteSeen(credential);
    return {
      deviceId,
      deviceName: credential.deviceName,
      tenantId: credential.tenantId,
      tenantName: credential.tenantName,
      tenantModules: credential.tenantModules,
      isTenantSuspended: credential.isTenantSuspended,
      signingKey: credential.signingKey,
      readsTenant: this.#grants.has(deviceId),
    };
  }

  async #noteSeen({ deviceId, lastSeenMs }: CredentialRecord): Promise<void> {
    const nowMs = this.#clock();
    const seenMs = Math.max(this.#lastSeenMs.get(deviceId) ?? 0, lastSeenMs ?? 0);
    if (nowMs - seenMs < LAST_SEEN_STEP_MS) return;
    this.#lastSeenMs.set(deviceId, nowMs);
    // A full disk must not keep anybody from restoring; a failed one stops the process by itself.
    await this.#credentials.noteSeen(deviceId, nowMs).catch(() => undefined);
  }
}

function isHashOf(secret: string, hash: string): boolean {
  return timingSafeEqual(sha256(Buffer.from(secret, 'base64url')), Buffer.from(hash, 'hex'));
}
