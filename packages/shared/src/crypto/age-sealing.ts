import { CofreError } from '../errors.ts';

/**
 * age (age-encryption.org) wraps keys and nothing else here. Only hybrid post-quantum recipients are
 * taken: one classic recipient beside them would undo what they are for, and age does not stop that.
 */
const RECIPIENT_PREFIX = 'age1pq1';

/** @throws CofreError `recipient_mix` unless every recipient resists quantum computers */
export async function sealWithAge(plaintext: Uint8Array, recipients: readonly string[]): Promise<Buffer> {
  if (recipients.length === 0 || !recipients.every((recipient) => recipient.startsWith(RECIPIENT_PREFIX))) {
    throw new CofreError('recipient_mix');
  }
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return Buffer.from(await encrypter.encrypt(plaintext));
}

/**
 * @param identity `AGE-SECRET-KEY-PQ-1…`
 * @param what named in the error, such as "a key period"
 * @throws CofreError `wrong_key` when the identity opens none of the file's stanzas, `damaged` when the file is
 *   not what was sealed
 */
export async function openWithAge(sealed: Uint8Array, identity: string, what: string): Promise<Buffer> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return Buffer.from(await decrypter.decrypt(sealed, 'uint8array'));
  } catch (cause) {
    if (isNoRecipient(cause)) throw new CofreError('wrong_key', { what }, { cause });
    throw new CofreError('damaged', { what: `The seal of ${what}`, problem: 'it was changed' }, { cause });
  }
}

/** The library has no codes: this is what it says of a file that is whole, but sealed to others. */
function isNoRecipient(cause: unknown): boolean {
  return cause instanceof Error && cause.message.startsWith('no identity matched');
}
