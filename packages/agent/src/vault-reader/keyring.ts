import { openWithAge } from '@cofre/shared/crypto/age-sealing';
import type { FindPeriodKeys } from '@cofre/shared/crypto/blob-cipher';
import {
  decodeKeyPeriod,
  periodKeys,
  type KeyPeriod,
  type PeriodKeys,
} from '@cofre/shared/crypto/key-period';
import { CofreError } from '@cofre/shared/errors';
import { decodeKeyringObject } from '@cofre/shared/format/envelope/sealed-keys';
import type { KeyPeriodId } from '@cofre/shared/ids';
import type { ServerClient } from '../client/server-client.ts';
import type { OpenedTrust } from './open-trust.ts';
import { openSignedByDevice } from './signed-by-device.ts';

/** Key periods by id. Each is fetched and opened once, when something that it sealed is met. */
export class Keyring {
  readonly #client: ServerClient;
  readonly #trust: OpenedTrust;
  /** Failures stay too: a period that can't be opened is asked for once, not once a blob. */
  readonly #periods = new Map<KeyPeriodId, Promise<KeyPeriod>>();
  readonly #keys = new Map<KeyPeriodId, { readonly period: KeyPeriod; readonly keys: PeriodKeys }>();

  constructor(client: ServerClient, trust: OpenedTrust) {
    this.#client = client;
    this.#trust = trust;
  }

  /**
   * The secret of a period.
   * @throws CofreError `not_found` when the server has no such object, `untrusted` when no device of the roster
   *   made it, `wrong_key` when it was sealed to others, `damaged`
   */
  async period(id: KeyPeriodId): Promise<KeyPeriod> {
    let opening = this.#periods.get(id);
    if (opening === undefined) {
      opening = this.#open(id);
      this.#periods.set(id, opening);
    }
    const period = await opening;
    this.#keys.set(id, { period, keys: periodKeys(period) });
    return period;
  }

  /** Whether {@link find} can answer for a period. */
  has(id: KeyPeriodId): boolean {
    return this.#keys.has(id);
  }

  /** For `openBlob`: keys of the periods that were asked for before, if they belong to the blob's domain. */
  readonly find: FindPeriodKeys = ({ keyPeriodId, domainId }) => {
    const known = this.#keys.get(keyPeriodId);
    return known !== undefined && known.period.domainId === domainId ? known.keys : null;
  };

  async #open(id: KeyPeriodId): Promise<KeyPeriod> {
    await this.#trust.grant.ensure();
    const item = await this.#client.readObject('keyring', id);
    const object = Buffer.from(item.object, 'base64');
    const { content, device } = openSignedByDevice(
      object,
      'keyring',
      decodeKeyringObject,
      this.#trust.roster,
    );
    const sealed = await openWithAge(content.sealed, this.#trust.recoveryKey.age.identity, 'a key period');
    const period = decodeKeyPeriod(sealed);
    const isConsistent =
      content.keyPeriodId === id &&
      period.keyPeriodId === id &&
      period.deviceId === device.deviceId &&
      period.domainId === device.domainId &&
      content.domainId === device.domainId;
    if (!isConsistent) {
      throw new CofreError('untrusted', { what: 'a key period', problem: 'it is not the one asked for' });
    }
    return period;
  }
}
