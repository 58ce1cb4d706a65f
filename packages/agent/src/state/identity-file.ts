import { join } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import type { DeviceId, TenantId } from '@cofre/shared/ids';
import { signingKeyFromSeed } from '@cofre/shared/signature';
import type { DeviceIdentity } from './agent-context.ts';
import { readStoredSecrets, storedSecrets, type DeviceSecrets } from './device-secrets.ts';
import { replaceFile } from './durable-file.ts';
import { StoredRecord } from './stored-record.ts';

/** The identity of an enrolled computer as it is kept. */
export interface StoredIdentity {
  readonly address: string;
  readonly certificatePin: string | null;
  readonly tenantId: TenantId;
  readonly tenantName: string;
  readonly deviceId: DeviceId;
  readonly deviceName: string;
  /** Hexadecimal. */
  readonly authorityKey: string;
  readonly secrets: DeviceSecrets;
  /** Where the kit was when this computer enrolled: for people, nothing relies on it. */
  readonly kitFile: string;
  /** ISO 8601. */
  readonly enrolled: string;
}

const VERSION = 1;

/** Where the identity is kept. */
export function identityFile(stateFolder: string): string {
  return join(stateFolder, 'identity.json');
}

/** @throws CofreError `file_unwritable` */
export async function writeIdentity(stateFolder: string, identity: StoredIdentity): Promise<void> {
  const { secrets, ...fields } = identity;
  const record = { version: VERSION, ...fields, ...storedSecrets(secrets) };
  await replaceFile(identityFile(stateFolder), `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * Null when this computer is not enrolled.
 * @throws CofreError `state_damaged`, `unknown_format`
 */
export async function readIdentity(stateFolder: string): Promise<StoredIdentity | null> {
  const record = await StoredRecord.read(identityFile(stateFolder), VERSION);
  if (record === null) return null;
  return {
    address: record.text('address', /^https?:\/\//),
    certificatePin: record.textOrNull('certificatePin', /^[0-9a-f]{64}$/),
    tenantId: record.id('tenantId'),
    tenantName: record.text('tenantName'),
    deviceId: record.id('deviceId'),
    deviceName: record.text('deviceName'),
    authorityKey: record.key('authorityKey').toString('hex'),
    secrets: readStoredSecrets(record),
    kitFile: record.text('kitFile'),
    enrolled: record.text('enrolled'),
  };
}

/**
 * The identity of a computer that must be enrolled.
 * @throws CofreError `not_enrolled`, and as {@link readIdentity}
 */
export async function requireIdentity(stateFolder: string): Promise<StoredIdentity> {
  const identity = await readIdentity(stateFolder);
  if (identity === null) throw new CofreError('not_enrolled', { folder: stateFolder });
  return identity;
}

/** What the commands work with, from what is kept. */
export function deviceIdentity(stored: StoredIdentity): DeviceIdentity {
  const { secrets, address, certificatePin, tenantId, tenantName, deviceId, authorityKey } = stored;
  return {
    address,
    certificatePin,
    tenantId,
    tenantName,
    deviceId,
    credentialSecret: secrets.credentialSecret.toString('base64url'),
    signingKey: signingKeyFromSeed(secrets.signingSeed),
    authorityKey,
    domain: secrets.domain,
  };
}
