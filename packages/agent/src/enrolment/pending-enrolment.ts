import { join } from 'node:path';
import { sha256 } from '@cofre/shared/hash';
import {
  newDeviceSecrets,
  readStoredSecrets,
  storedSecrets,
  type DeviceSecrets,
} from '../state/device-secrets.ts';
import { removeFile, replaceFile } from '../state/durable-file.ts';
import { StoredRecord } from '../state/stored-record.ts';

/**
 * An enrolment that has begun. It is kept before the server is asked for the first time: the one-time code is then
 * bound to these keys, and the same line can finish what was interrupted.
 */
export interface PendingEnrolment {
  /** Of the one-time code, hexadecimal. */
  readonly codeHash: string;
  readonly secrets: DeviceSecrets;
  /** The kit that this enrolment is making: kept before the file is, so that the file is known again. */
  readonly kit: { readonly file: string; readonly authorityKey: string } | null;
}

const VERSION = 1;

function pendingFile(stateFolder: string): string {
  return join(stateFolder, 'enrolment.json');
}

/**
 * The enrolment that was begun with this code, or a new one, which is durable once this resolves.
 * @throws CofreError `state_damaged`, `file_unwritable`
 */
export async function beginEnrolment(stateFolder: string, code: string): Promise<PendingEnrolment> {
  const codeHash = sha256(Buffer.from(code, 'utf8')).toString('hex');
  const record = await StoredRecord.read(pendingFile(stateFolder), VERSION);
  if (record !== null && record.text('codeHash') === codeHash) {
    const file = record.textOrNull('kitFile');
    const authorityKey = record.textOrNull('kitAuthorityKey');
    const kit = file === null || authorityKey === null ? null : { file, authorityKey };
    return { codeHash, secrets: readStoredSecrets(record), kit };
  }
  const pending = { codeHash, secrets: newDeviceSecrets(), kit: null };
  await keepEnrolment(stateFolder, pending);
  return pending;
}

/** @throws CofreError `file_unwritable` */
export async function keepEnrolment(stateFolder: string, pending: PendingEnrolment): Promise<void> {
  const { codeHash, secrets, kit } = pending;
  const fields = { codeHash, kitFile: kit?.file ?? null, kitAuthorityKey: kit?.authorityKey ?? null };
  const record = { version: VERSION, ...fields, ...storedSecrets(secrets) };
  await replaceFile(pendingFile(stateFolder), `${JSON.stringify(record, null, 2)}\n`);
}

/** The enrolment is over: its secrets are in the identity now. */
export async function endEnrolment(stateFolder: string): Promise<void> {
  await removeFile(pendingFile(stateFolder));
}
