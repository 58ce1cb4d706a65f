import { openWithAge } from '@cofre/shared/crypto/age-sealing';
import { decodeDomainSecrets, type DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import { CofreError } from '@cofre/shared/errors';
import { decodeDomainObject } from '@cofre/shared/format/envelope/sealed-keys';
import type { DomainId } from '@cofre/shared/ids';
import type { ServerClient } from '../client/server-client.ts';
import type { OpenedTrust } from './open-trust.ts';
import { openSignedByDevice } from './signed-by-device.ts';

/** The secrets of domains by id, each fetched and opened once. */
export class Domains {
  readonly #client: ServerClient;
  readonly #trust: OpenedTrust;
  readonly #domains = new Map<DomainId, Promise<DomainSecrets>>();

  constructor(client: ServerClient, trust: OpenedTrust) {
    this.#client = client;
    this.#trust = trust;
  }

  /**
   * @throws CofreError `not_found` when the server has no such record, `untrusted` when no device of that domain
   *   made it, `wrong_key` when it was sealed to others, `damaged`
   */
  async secrets(id: DomainId): Promise<DomainSecrets> {
    let opening = this.#domains.get(id);
    if (opening === undefined) {
      opening = this.#open(id);
      this.#domains.set(id, opening);
    }
    return await opening;
  }

  async #open(id: DomainId): Promise<DomainSecrets> {
    await this.#trust.grant.ensure();
    const item = await this.#client.readObject('domain', id);
    const object = Buffer.from(item.object, 'base64');
    const { content, device } = openSignedByDevice(object, 'domain', decodeDomainObject, this.#trust.roster);
    const identity = this.#trust.recoveryKey.age.identity;
    const secrets = decodeDomainSecrets(await openWithAge(content.sealed, identity, 'a domain'));
    if (content.domainId !== id || device.domainId !== id || secrets.domainId !== id) {
      throw new CofreError('untrusted', { what: 'a domain', problem: 'it is not the one asked for' });
    }
    return secrets;
  }
}
