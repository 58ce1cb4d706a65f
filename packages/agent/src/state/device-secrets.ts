import { randomBytes } from 'node:crypto';
import {
  decodeDomainSecrets,
  encodeDomainSecrets,
  newDomainSecrets,
  type DomainSecrets,
} from '@cofre/shared/crypto/domain-keys';
import { newRandomId, type DomainId } from '@cofre/shared/ids';
import type { StoredRecord } from './stored-record.ts';

/** What a device makes for itself before it enrols, and keeps. */
export interface DeviceSecrets {
  /** Seed of the Ed25519 key. */
  readonly signingSeed: Buffer;
  /** Seed of the inbox's age key pair. */
  readonly inboxSeed: Buffer;
  /** Secret of the credential. */
  readonly credentialSecret: Buffer;
  readonly domain: DomainSecrets;
}

/** Fresh random secrets, with a domain of their own. */
export function newDeviceSecrets(): DeviceSecrets {
  return {
    signingSeed: randomBytes(32),
    inboxSeed: randomBytes(32),
    credentialSecret: randomBytes(32),
    domain: newDomainSecrets(newRandomId<DomainId>()),
  };
}

/** The secrets as fields of a file. */
export function storedSecrets(secrets: DeviceSecrets): Record<string, string> {
  return {
    signingSeed: secrets.signingSeed.toString('hex'),
    inboxSeed: secrets.inboxSeed.toString('hex'),
    credentialSecret: secrets.credentialSecret.toString('hex'),
    domain: encodeDomainSecrets(secrets.domain).toString('hex'),
  };
}

/** @throws CofreError `state_damaged` */
export function readStoredSecrets(record: StoredRecord): DeviceSecrets {
  return {
    signingSeed: record.key('signingSeed'),
    inboxSeed: record.key('inboxSeed'),
    credentialSecret: record.key('credentialSecret'),
    domain: record.decoded('domain', decodeDomainSecrets),
  };
}
