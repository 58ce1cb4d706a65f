import { readFile } from 'node:fs/promises';
import { parseKit } from '@cofre/shared/crypto/kit';
import { recoveryKeyFromSecret, type RecoveryKey } from '@cofre/shared/crypto/recovery-key';
import { CofreError } from '@cofre/shared/errors';

/**
 * The text of a kit, or null when there is no such file.
 * @throws CofreError `kit_unreadable`
 */
export async function readKitText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    if (code === 'ENOENT') return null;
    throw new CofreError('kit_unreadable', { file, problem: code }, { cause });
  }
}

/**
 * The recovery key of a kit, or null when there is no such file.
 * @throws CofreError `kit_unreadable`
 */
export async function readKit(file: string): Promise<RecoveryKey | null> {
  const text = await readKitText(file);
  return text === null ? null : recoveryKeyFromSecret(parseKit(text, file));
}
