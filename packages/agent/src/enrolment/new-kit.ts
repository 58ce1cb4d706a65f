import { randomBytes } from 'node:crypto';
import { openWithAge, sealWithAge } from '@cofre/shared/crypto/age-sealing';
import { formatKit } from '@cofre/shared/crypto/kit';
import {
  authorityFingerprint,
  newRecoverySecret,
  recoveryKeyFromSecret,
  type RecoveryKey,
} from '@cofre/shared/crypto/recovery-key';
import { CofreError, type Language } from '@cofre/shared/errors';
import { createFile } from '../state/durable-file.ts';
import { readKit } from './kit-file.ts';
import { keepEnrolment, type PendingEnrolment } from './pending-enrolment.ts';

export interface NewKit {
  readonly stateFolder: string;
  /** Where the kit goes; nothing may be there but what this enrolment made before it was interrupted. */
  readonly file: string;
  readonly language: Language;
  readonly tenantName: string;
  readonly serverAddress: string;
}

/**
 * Makes the recovery key of a new account and its kit, which is on disk and was tested when this resolves.
 * Repeated after an interruption, it takes the kit that was made.
 * @throws CofreError `file_exists`, `file_unwritable`
 */
export async function makeKit(pending: PendingEnrolment, kit: NewKit): Promise<RecoveryKey> {
  const existing = await readKit(kit.file);
  if (existing !== null) {
    const authorityKey = existing.authority.publicKey.toString('hex');
    const isOurs = pending.kit?.file === kit.file && pending.kit.authorityKey === authorityKey;
    if (!isOurs) throw new CofreError('file_exists', { file: kit.file });
    await testKit(kit.file, existing);
    return existing;
  }
  const key = await recoveryKeyFromSecret(newRecoverySecret());
  const authorityKey = key.authority.publicKey.toString('hex');
  await keepEnrolment(kit.stateFolder, { ...pending, kit: { file: kit.file, authorityKey } });
  const details = {
    tenantName: kit.tenantName,
    serverAddress: kit.serverAddress,
    fingerprint: authorityFingerprint(key.authority.publicKey),
    created: new Date().toISOString().slice(0, 10),
  };
  await createFile(kit.file, formatKit(key.secret, details, kit.language));
  await testKit(kit.file, key);
  return key;
}

/** Reads the kit again and opens with it what was sealed to the key: what people will have is the file alone. */
async function testKit(file: string, key: RecoveryKey): Promise<void> {
  const probe = randomBytes(32);
  const sealed = await sealWithAge(probe, [key.age.recipient]);
  const read = await readKit(file);
  if (read === null) throw new CofreError('file_unwritable', { file, problem: 'it is gone again' });
  const opened = await openWithAge(sealed, read.age.identity, file);
  if (!opened.equals(probe)) throw new CofreError('file_unwritable', { file, problem: 'it opens nothing' });
}
