import { parseKit } from '@cofre/shared/crypto/kit';
import { CofreError } from '@cofre/shared/errors';
import { readKitText } from '../enrolment/kit-file.ts';
import type { Kit } from '../vault-reader/open-trust.ts';

/**
 * The kit that `--kit` (or `COFRE_KIT_FILE`) names.
 * @throws CofreError `usage` without one, `kit_unreadable` when it is not there or none
 */
export async function requireKit(file: string | undefined): Promise<Kit> {
  const named = file ?? process.env['COFRE_KIT_FILE'];
  if (named === undefined || named === '') throw new CofreError('usage', { problem: '--kit FILE is needed' });
  const text = await readKitText(named);
  if (text === null)
    throw new CofreError('kit_unreadable', { file: named, problem: 'there is no such file' });
  // What is no kit is found before anybody is asked anything.
  parseKit(text, named);
  return { text, source: named };
}

/** Like {@link requireKit}, null where none was named. */
export async function optionalKit(file: string | undefined): Promise<Kit | null> {
  const named = file ?? process.env['COFRE_KIT_FILE'] ?? '';
  return named === '' ? null : requireKit(named);
}
