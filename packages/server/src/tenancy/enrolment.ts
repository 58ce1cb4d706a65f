import type { z } from 'zod';
import { newRandomId, type DeviceId } from '@cofre/shared/ids';
import type { enrolRequest, EnrolResponse } from '@cofre/shared/wire/enrolment';
import type { Clock } from '../clock.ts';
import type { CredentialStore } from '../db/appliance-stores.ts';
import type { Vaults } from '../vault/vault.ts';
import { hashOfSecret } from '../platform/secret-hash.ts';

/** Turns a one-time code into a device. */
export class Enrolments {
  readonly #credentials: CredentialStore;
  readonly #vaults: Vaults;
  readonly #clock: Clock;

  constructor(credentials: CredentialStore, vaults: Vaults, clock: Clock) {
    this.#credentials = credentials;
    this.#vaults = vaults;
    this.#clock = clock;
  }

  /**
   * Repeating a call with the same keys gives the same device.
   * @throws CofreError `enrolment_code_unknown`, `enrolment_code_used`, `enrolment_code_expired`
   */
  async enrol({ code, ...device }: z.output<typeof enrolRequest>): Promise<EnrolResponse> {
    const enrolled = await this.#credentials.enrol({
      ...device,
      codeHash: hashOfSecret(code),
      deviceId: newRandomId<DeviceId>(),
      nowMs: this.#clock(),
    });
    const vault = await this.#vaults.open(enrolled.tenantId);
    const { authorityKey } = await vault.trust();
    return { ...enrolled, hasAuthority: authorityKey !== null };
  }
}
