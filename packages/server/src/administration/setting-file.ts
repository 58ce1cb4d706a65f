import { readFile } from 'node:fs/promises';
import { CofreError } from '@cofre/shared/errors';

/**
 * Reads the file that a setting names.
 * @throws CofreError `settings_invalid`, naming the setting
 */
export async function readSettingFile(setting: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw new CofreError('settings_invalid', { setting, problem: `${file}: ${code}` }, { cause });
  }
}
